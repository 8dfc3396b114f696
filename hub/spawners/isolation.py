"""How far environments are kept apart, in one sentence that `up` and `doctor` say as it is."""


def local_isolation() -> str:
    """What holds on one machine in this version. A promise that is not kept is worse than none."""
    return (
        "Environments are not kept apart: they run as the same user as Podium and can read each other's files "
        "and Podium's own, so let in only people who trust each other."
    )
