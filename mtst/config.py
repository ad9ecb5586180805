"""How to train: every choice of a run but its data."""

from dataclasses import dataclass

from mtst.errors import SettingsError

# What to do about rare labels.
BALANCES = {
    "none": "every row counts once",
    "class-weights": "a row of a rare label weighs more in the loss",
    "balanced-sampling": "a row of a rare label is drawn more often",
}


@dataclass(frozen=True)
class TrainConfig:
    """How to train. What is None is taken from the scenario.

    Attributes:
        scenario: a key of `mtst.freezing.scenarios`.
        epochs: passes over the training rows, 1 or more.
        batch_size: sentences an optimizer step.
        head_rate: peak learning rate of open heads.
        encoder_rate: peak learning rate of open encoder groups.
        validation_share: share of the rows held out, up to 1,000 rows.
        balance: what to do about rare labels, a key of `BALANCES`.
        seed: fixes the split, the order of the rows and dropout.

    Raises:
        SettingsError: a value makes no sense.
    """

    scenario: str = "freeze-encoder"
    epochs: int | None = None
    batch_size: int = 32
    head_rate: float | None = None
    encoder_rate: float | None = None
    validation_share: float = 0.15
    balance: str = "none"
    seed: int = 0

    def __post_init__(self) -> None:
        if self.epochs is not None and not 1 <= self.epochs <= 1000:
            raise SettingsError(f"epochs must lie between 1 and 1000, not {self.epochs!r}.")
        if not 1 <= self.batch_size <= 4096:
            raise SettingsError(f"batch_size must lie between 1 and 4096, not {self.batch_size!r}.")
        for name in ("head_rate", "encoder_rate"):
            rate = getattr(self, name)
            if rate is not None and not 0 < rate <= 1:
                raise SettingsError(f"{name} must be above 0 and at most 1, not {rate!r}.")
        if not 0 < self.validation_share < 1:
            raise SettingsError(f"validation_share must lie between 0 and 1, not {self.validation_share!r}.")
        if self.balance not in BALANCES:
            raise SettingsError(f"balance must be one of {', '.join(BALANCES)}, not {self.balance!r}.")
        if not 0 <= self.seed < 2**32:
            raise SettingsError(f"seed must lie between 0 and 4294967295, not {self.seed!r}.")
