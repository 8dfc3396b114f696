"""The reference page of the API is the schema's."""

from tests.house.api_document import PAGE, written


def test_the_page_says_what_the_schema_says() -> None:
    assert PAGE.read_text("utf-8") == written(), "run: make api"
