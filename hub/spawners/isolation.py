"""How far environments are kept apart, in one sentence that `up` and `doctor` say as it is."""


def local_isolation() -> str:
    """What holds on one machine in this version. A promise that is not kept is worse than none."""
    return (
        "Environments are not kept apart: they run as the same user as Podium and can read each other's files "
        "and Podium's own, so let in only people who trust each other."
    )


def pod_isolation(namespace: str) -> str:
    return (
        f"Environments are pods of their own in the namespace {namespace}, without rights and each with its own volume; what "
        "they reach over the network is up to the cluster's network policies."
    )
