"""Creates the role and database of each service, and applies migrations: `python -m deploy.local.migrate`.

One process does it for all services, because starting one takes longer than looking whether there is something new.
"""

from pydantic import SecretStr

from common import logging
from common.db.migrate import migrate, provision, tell_applied
from common.settings import Settings
from deploy.local.places import migrations


class MigrationSettings(Settings):
    """The administrator's URL, and that of each service's database by the service's name."""

    admin_database_url: SecretStr
    database_urls: dict[str, SecretStr]


def main() -> None:
    settings = MigrationSettings()  # pyright: ignore[reportCallIssue]  (its values come from the environment)
    logging.configure(level=settings.log_level, format=settings.log_format, service="migrate")
    for service, url in settings.database_urls.items():
        provision(settings.admin_database_url.get_secret_value(), url.get_secret_value())
        tell_applied(service, migrate(url.get_secret_value(), migrations(service)))


if __name__ == "__main__":
    main()
