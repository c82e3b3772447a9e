"""All words of the pages, in each language that they speak."""

from dataclasses import dataclass
from datetime import UTC, datetime

from common.errors import DomainError, NotReady, RateLimited, Unavailable
from share_service.pages.model import Mirror
from share_service.shares.model import EndedFor

UNITS = ("KiB", "MiB", "GiB", "TiB")

Notice = tuple[str, str]
"""A heading, and a sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """The words of a language. What stands in braces is replaced."""

    lang: str
    """The value of the attribute `lang`."""

    size: str
    shared: str
    ends: str
    download: str
    mirrors: str
    mirror: str
    state: str
    link: str
    no_link: str
    unverified: str
    """In place of the SHA-256."""
    pending: str
    corrupt: str

    one_byte: str
    bytes: str
    rounded: str
    never: str
    after_one: str
    after: str
    at_or: str

    copied: str
    copying: str
    waiting: str
    failed: str

    ask_heading: str
    ask_label: str
    ask_button: str
    ask_again: str
    ask_first: str

    back: str
    front: str
    endings: dict[EndedFor | None, str]
    no_page: Notice
    ended_page: str
    no_file: Notice
    ended_file: str
    locked_file: Notice
    old_link: Notice
    throttled: Notice
    unavailable: Notice
    not_ready: Notice
    refused: Notice

    def size_text(self, size: int) -> str:
        """`1.5 MiB (1,572,864 bytes)`: base 1024, rounded to one place."""
        exact = self.one_byte if size == 1 else self.bytes.format(count=size)
        if size < 1024:
            return exact
        value, unit = size / 1024, 0
        # A value that would be rounded to 1024.0 is 1.0 of the next unit.
        while value >= 1023.95 and unit < len(UNITS) - 1:
            value, unit = value / 1024, unit + 1
        return self.rounded.format(size=f"{value:.1f} {UNITS[unit]}", exact=exact)

    def end_text(self, expires_at: datetime | None, uses_left: int | None) -> str:
        """The end of a page: at a moment, after a number of downloads, whichever comes first, or never."""
        at = time_text(expires_at) if expires_at else ""
        if uses_left is None:
            return at or self.never
        after = self.after_one if uses_left == 1 else self.after.format(count=uses_left)
        return self.at_or.format(at=at, after=after) if at else after

    def mirror_text(self, mirror: Mirror, size: int) -> str:
        """The progress of a mirror with its copy of a file of `size` bytes."""
        match mirror.state:
            case "verified":
                return self.copied
            case "copying":
                return self.copying.format(percent=min(100, mirror.bytes_done * 100 // size) if size else 0)
            case "queued":
                return self.waiting
            case "failed":
                return self.failed

    def notice(self, error: DomainError) -> Notice:
        """The heading and the sentence that tell of an error of any page."""
        match error:
            case RateLimited():
                return self.throttled
            case Unavailable():
                return self.unavailable
            case NotReady():
                return self.not_ready
            case _:
                title, text = self.refused
                return title, text.format(reason=error.message)


def time_text(moment: datetime) -> str:
    """`2026-03-01 12:30 UTC`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


ENGLISH = Words(
    lang="en",
    size="Size",
    shared="Shared",
    ends="Ends",
    download="Download",
    mirrors="Mirrors",
    mirror="Mirror",
    state="State",
    link="Link",
    no_link="none",
    unverified="not verified yet",
    pending="It is being verified and can be downloaded in a moment.",
    corrupt="It did not arrive whole and cannot be downloaded.",
    one_byte="1 byte",
    bytes="{count:,} bytes",
    rounded="{size} ({exact})",
    never="not by itself",
    after_one="after 1 more download",
    after="after {count:,} more downloads",
    at_or="{at}, or {after}",
    copied="copied and verified",
    copying="being copied, {percent} %",
    waiting="waiting",
    failed="failed, will be tried again",
    ask_heading="This file has a password",
    ask_label="Password",
    ask_button="Show the file",
    ask_again="That is not the password.",
    ask_first="A password is needed to download this file.",
    back="To the page of the file",
    front="To the first page",
    endings={
        "owner": "It was ended by its owner.",
        "administrator": "It was ended by an administrator.",
        "copyright": "It was ended by an administrator for reasons of copyright.",
        None: "Its time is over, all of its downloads have been taken, or it was withdrawn.",
    },
    no_page=("There is no such page", "Its address may be misspelt, or it ended some time ago."),
    ended_page="This page has ended",
    no_file=(
        "There is no file here",
        "The link may be misspelt, or the file is not here any more: files go when their time is over, when all of "
        "their downloads have been taken, or when somebody deletes them.",
    ),
    ended_file="This file is not here any more",
    locked_file=("This file has a password", "Load this page again to enter it."),
    old_link=("This download link is no longer valid", "The page of the file has a new one."),
    throttled=("Too many wrong passwords", "Please try again in a few minutes."),
    unavailable=("This cannot be shown at the moment", "Please try again in a few seconds."),
    not_ready=("This file is still being verified", "It can be downloaded in a moment. Please try again then."),
    refused=("This cannot be done", "{reason}"),
)

CHINESE = Words(
    lang="zh-CN",
    size="大小",
    shared="分享时间",
    ends="到期",
    download="下载",
    mirrors="镜像",
    mirror="镜像",
    state="状态",
    link="链接",
    no_link="无",
    unverified="尚未校验",
    pending="文件正在校验，稍后即可下载。",
    corrupt="文件没有完整到达，无法下载。",
    one_byte="1 字节",
    bytes="{count:,} 字节",
    rounded="{size}（{exact}）",
    never="不会自动到期",
    after_one="再下载 1 次后",
    after="再下载 {count:,} 次后",
    at_or="{at}，或{after}",
    copied="已复制并校验",
    copying="复制中，{percent}%",
    waiting="等待中",
    failed="失败，将会重试",
    ask_heading="这个文件需要密码",
    ask_label="密码",
    ask_button="显示文件",
    ask_again="密码不对。",
    ask_first="下载这个文件需要密码。",
    back="返回文件页面",
    front="回到首页",
    endings={
        "owner": "它已被所有者结束。",
        "administrator": "它已被管理员结束。",
        "copyright": "它因版权原因已被管理员结束。",
        None: "它已到期、下载次数已用完，或已被撤回。",
    },
    no_page=("没有这个页面", "地址可能有误，或页面早已结束。"),
    ended_page="这个页面已结束",
    no_file=(
        "这里没有文件",
        "链接可能有误，或文件已经不在：到期、下载次数用完或被删除后，文件就会消失。",
    ),
    ended_file="这个文件已经不在了",
    locked_file=("这个文件需要密码", "请重新载入本页并输入密码。"),
    old_link=("这个下载链接已失效", "文件页面上有新的链接。"),
    throttled=("密码错误次数过多", "请几分钟后再试。"),
    unavailable=("暂时无法显示", "请几秒钟后再试。"),
    not_ready=("文件仍在校验", "稍后即可下载，请到时再试。"),
    refused=("无法完成", "请求有误：{reason}"),
)

LANGUAGES = {"en": ENGLISH, "zh": CHINESE}
"""By the first subtag of their names."""
