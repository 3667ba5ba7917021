"""Normalises, masks and pseudonymises the complainant's contact data."""

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from shared.contracts.complaint import Complainant, MaskedComplainant
from shared.contracts.contact_forms import PhoneNumber, normal_id_number, read_email, read_phone
from shared.contracts.person_keys import person_key

CONTACT_FIELDS = ("name", "phone", "email", "address", "identity", "id_number", "enterprise", "household")
_VISIBLE_PREFIX_DIGITS = 3
_MAX_FULLY_MASKED_DIGITS = 7


@dataclass(frozen=True, slots=True)
class ContactReading:
    """The complainant with normalised phone, e-mail and id_number, and the values read: None for an absent or unreadable one.

    An unreadable phone or e-mail is kept as written; `unreadable` names it.
    """

    complainant: Complainant
    phone_as_written: str | None
    phone: PhoneNumber | None
    email: str | None

    @property
    def unreadable(self) -> list[str]:
        """The contact fields that could not be read."""
        read = {"phone": self.phone, "email": self.email}
        return [f"complainant.{name}" for name, value in read.items() if value is None and getattr(self.complainant, name)]

    @property
    def phone_fields(self) -> Mapping[str, str]:
        """The rest of a text beside the normalised number: its extension, and the text if it contains more, such as a second number."""
        if self.phone is None:
            return {}
        fields = {"phone_extension": self.phone.extension, "phone_as_written": self.phone_as_written if self.phone.has_more else ""}
        return {name: value for name, value in fields.items() if value}

    def key_texts(self, shared_contacts: AbstractSet[str]) -> Iterator[tuple[str, str]]:
        """Field and normal form of everything that identifies the person; a contact that many people share does not."""
        texts = {
            "email": self.email,
            "id_number": self.complainant.id_number,
            "phone": self.phone.normal_form if self.phone else None,
        }
        return ((name, text) for name, text in texts.items() if text and text not in shared_contacts)


def read_contact(complainant: Complainant, phone_region: str) -> ContactReading:
    """The complainant's contact data in normal form; `phone_region` (ISO 3166) applies to numbers without a country code."""
    changes: dict[str, str | None] = {name: (getattr(complainant, name) or "").strip() or None for name in CONTACT_FIELDS}
    raw_phone, raw_email, raw_number = changes["phone"], changes["email"], changes["id_number"]
    phone = read_phone(raw_phone, phone_region) if raw_phone else None
    email = read_email(raw_email) if raw_email else None
    changes["phone"] = phone.e164 if phone else raw_phone
    changes["email"] = email or raw_email
    changes["id_number"] = (normal_id_number(raw_number) or None) if raw_number else None
    return ContactReading(complainant.model_copy(update=changes), raw_phone, phone, email)


def normal_contact(text: str, phone_region: str) -> str:
    """The normal form of a number or address, as `ContactReading.key_texts` gives it; the text itself if it is neither."""
    phone = read_phone(text, phone_region)
    return phone.normal_form if phone else read_email(text) or text


def complainant_keys(reading: ContactReading, pseudonym_key: bytes, shared_contacts: AbstractSet[str]) -> list[str]:
    """Return `<field>:<keyed hash>` for each text that identifies the person, sorted. Without the key it cannot be reversed.

    The field comes before the hash, because people with different id_numbers are different people even if other values agree.
    """
    texts = reading.key_texts(shared_contacts)
    return sorted(person_key(name, text, pseudonym_key) for name, text in texts)


def masked(complainant: Complainant, keys: list[str]) -> MaskedComplainant:
    """The complainant as every consumer may see it: 王**, 138****0000; an anonymous one without name and phone."""
    anonymous = complainant.anonymous
    return MaskedComplainant(
        kind=complainant.kind,
        anonymous=anonymous,
        name=None if anonymous else masked_name(complainant.name),
        phone=None if anonymous else masked_phone(complainant.phone),
        id=keys[0] if keys else None,
        identity=complainant.identity,
        enterprise=complainant.enterprise,
        household=complainant.household,
        has=[name for name in CONTACT_FIELDS if getattr(complainant, name)],
    )


def masked_name(name: str | None) -> str | None:
    """The first character and two asterisks."""
    return f"{name[0]}**" if name else None


def masked_phone(phone: str | None) -> str | None:
    """The first three and the last four digits of the national number; no digits of a short one."""
    if not phone:
        return None
    digits = "".join(character for character in phone.removeprefix("+86") if character.isdigit())
    return f"{digits[:_VISIBLE_PREFIX_DIGITS]}****{digits[-4:]}" if len(digits) > _MAX_FULLY_MASKED_DIGITS else "****"
