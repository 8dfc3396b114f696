"""axe-core looks at a page: what of its rules for people who see, hear or move otherwise the page breaks."""

import json
from pathlib import Path
from typing import Any, NamedTuple

from playwright.sync_api import Page

from tests.support.ci import absent

SCRIPT = Path(__file__).resolve().parents[1] / "node_modules" / "axe-core" / "axe.min.js"
_RUN = "async (rules) => (await axe.run(document, { rules })).violations"


class Streamlits(NamedTuple):
    """A rule that Streamlit's own markup breaks where nothing of ours can mend it: in elements that `within` names."""

    rule: str
    within: str
    reason: str


STREAMLITS = (
    Streamlits(
        "list",
        "[data-testid=stSidebarNav] ul, ul[data-testid=stSidebarNavItems]",
        "the groups of st.navigation put headings and lists of links into a list without list items",
    ),
    Streamlits("listitem", "[data-testid=stSidebarNav] li", "the same"),
    Streamlits(
        "color-contrast",
        "button[data-selected=true] *",
        "a chosen segment is written in primaryColor, which white words lie on too: on a dark ground only one has 4.5:1",
    ),
)


def violations(page: Page) -> list[str]:
    """`rule: element` for each, without what is Streamlit's own."""
    if not SCRIPT.exists():
        absent("axe-core is not installed; with npm: npm ci --prefix tests")
    if not page.evaluate("Boolean(window.axe)"):
        page.evaluate(SCRIPT.read_text("utf-8"))
    found: list[dict[str, Any]] = page.evaluate(_RUN, {})
    broken = [(rule["id"], node) for rule in found for node in rule["nodes"]]
    return [
        f"{rule}: {json.dumps(node['target'])} {node['html'][:200]}"
        for rule, node in broken
        if not _is_streamlits(page, rule, node)
    ]


def _is_streamlits(page: Page, rule: str, node: dict[str, Any]) -> bool:
    target = node["target"][-1]
    return any(
        known.rule == rule and page.locator(target).first.evaluate("(node, within) => node.matches(within)", known.within)
        for known in STREAMLITS
    )
