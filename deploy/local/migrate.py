"""Creates the role and database of each service, and applies migrations: `python -m deploy.local.migrate`.

One process does it for all services, because starting one takes longer than looking whether there is something new.
"""

import sys

from pydantic import SecretStr

from common.db.migrate import migrate, provision
from common.settings import Settings
from deploy.local.places import migrations


class MigrationSettings(Settings):
    """The administrator's URL, and that of each service's database by the service's name."""

    admin_database_url: SecretStr
    database_urls: dict[str, SecretStr]


def main() -> None:
    settings = MigrationSettings()  # pyright: ignore[reportCallIssue]  (its values come from the environment)
    for service, url in settings.database_urls.items():
        provision(settings.admin_database_url.get_secret_value(), url.get_secret_value())
        for name in migrate(url.get_secret_value(), migrations(service)):
            sys.stderr.write(f"{service}: applied {name}\n")


if __name__ == "__main__":
    main()
