"""`.env.example`, `docs/settings.md` and the settings themselves say the same."""

from pathlib import Path

from dotenv import dotenv_values

from hub.settings import Settings, load
from hub.settings_seeds import DATABASE_PARTS
from tests.house.settings_documents import EXAMPLE, TABLE, example, table


def test_the_example_names_every_setting_and_says_what_it_is_for() -> None:
    assert EXAMPLE.read_text(encoding="utf-8") == example(), "run: make settings"
    for name, field in Settings.model_fields.items():
        assert field.description, f"{name} has no explanation"
        assert f"\n# {name.upper()}=" in example()


def test_the_table_names_every_setting() -> None:
    assert TABLE.read_text(encoding="utf-8") == table(), "run: make settings"
    for name in [*(field.upper() for field in Settings.model_fields), *DATABASE_PARTS]:
        assert f"| `{name}` |" in table()


def test_the_example_with_its_defaults_switched_on_changes_nothing(tmp_path: Path) -> None:
    switched_on = tmp_path / ".env"
    lines = [line.removeprefix("# ") for line in example().splitlines()]
    names = {name.upper() for name in Settings.model_fields} | set(DATABASE_PARTS)
    switched_on.write_text("\n".join(line for line in lines if line.partition("=")[0] in names), encoding="utf-8")
    assert len(dotenv_values(switched_on)) == len(names)
    settings, notices = load({}, switched_on)
    assert settings.model_dump(exclude={"profiles_file", "environment_python"}) == Settings().model_dump(
        exclude={"profiles_file", "environment_python"}
    )
    assert notices == []
