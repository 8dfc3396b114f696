"""Names of settings that people bring along from earlier systems."""

KNOWN_WITHOUT_EFFECT = {
    **dict.fromkeys(
        (
            "MAX_INACTIVE_HOURS",
            "INGRESS_CLASS_NAME", "CLUSTER_ISSUER", "REGISTRY_URL", "PROJECT_ID",
        ),
        "CMBCluster",
    ),
    **dict.fromkeys(
        (
            "MINIO_URL", "MINIO_PUBLIC_URL", "MINIO_ACCESS_KEY",
            "MINIO_SECRET_KEY", "MINIO_SECURE", "BUCKET_NAME", "LOCAL_DB_PATH", "DISCORD_URL", "DISCORD_SUPPORT_URL",
            "DEFAULT_INGRESS_HOST", "ARGOCD_SERVER", "ARGOCD_CLUSTER", "SERVER", "DEBUG",
        ),
        "MAIA",
    ),
}  # fmt: skip
"""Accepted, named once at start, without effect in this version: name -> the system that has it."""

DATABASE_PARTS = ("DB_ENGINE", "DB_HOST", "DB_PORT", "DB_NAME", "DB_USERNAME", "DB_PASS")
"""MAIA's names for PostgreSQL; `DATABASE_URL` wins over them."""
