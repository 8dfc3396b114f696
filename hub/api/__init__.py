ROOT = "/api/v1"
"""Below which everything of the API lies."""
