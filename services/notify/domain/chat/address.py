"""The address of a message to a group: the robot that posts it, and whom it mentions."""

from dataclasses import dataclass

_SEPARATOR = "#"


@dataclass(frozen=True, slots=True)
class ChatAddress:
    """A robot's id among the providers, and the mobile number of the person that the message is for, empty for no one."""

    robot: str
    mobile: str = ""

    @classmethod
    def parse(cls, text: str) -> "ChatAddress":
        """The address in `robot#number` or `robot`."""
        robot, _, mobile = text.partition(_SEPARATOR)
        return cls(robot, mobile)

    def __str__(self) -> str:
        return f"{self.robot}{_SEPARATOR}{self.mobile}" if self.mobile else self.robot

    @property
    def national_mobile(self) -> str:
        """The number in the form of the products' users in China: without +86."""
        return self.mobile.removeprefix("+86")
