"""What all tests share: databases, a look at what they leave behind, and CI's rule about skipping."""

pytest_plugins = (
    "tests.support.ci",
    "tests.support.leaks",
    "tests.support.databases",
    "tests.support.environment_hub",
    "tests.support.chromium",
)
