"""The main job once more, where an environment is a pod and its workspace a volume, through NGINX on a host of its own."""

from tests.browser.test_story import large_table, table
from tests.browser.test_story import (
    test_a_person_logs_in_launches_uploads_explores_stops_and_finds_the_files_again as test_the_main_story_with_pods,
)

__all__ = ["large_table", "table", "test_the_main_story_with_pods"]
