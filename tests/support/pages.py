"""A page as a browser would see it, for tests that read what it says."""

from html.parser import HTMLParser

VOID = {"meta", "link", "wbr", "br"}
APART = {"td", "th", "dt", "dd", "p", "li", "div", "tr", "h1", "h2", "h3", "figcaption", "summary", "text", "title"}
LOADING = {"src", "srcset", "data", "poster", "action", "background"}


class Page(HTMLParser):
    """What a browser would see: elements, their texts, what they would load, and where links lead."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.texts: list[str] = []
        self.loads: list[str] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self.styles = ""
        self.classes: list[str] = []
        self.feed(text)
        self.close()
        self.text = " ".join("".join(self.texts).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.tags.append(tag)
        self.texts += " " if tag in APART else ""
        if tag not in VOID:
            self.open.append(tag)
        self.loads += [given[name] for name in LOADING & given.keys()]
        if "href" in given:
            (self.links if tag == "a" else self.loads).append(given["href"])
        self.classes += given.get("class", "").split()
        if "id" in given:
            self.ids.append(given["id"])

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes nothing that is open"
        self.texts += " " if tag in APART else ""

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "style":
            self.styles += data
        else:
            self.texts.append(data)
