"""Normalises, masks and pseudonymises the complainant's contact data."""

import hmac
import re

import phonenumbers

from shared.contracts.complaint import Complainant, MaskedComplainant

CONTACT_FIELDS = ("name", "phone", "email", "address", "identity", "enterprise", "household")
_MOBILE = re.compile(r"(?:\+?86|0086)?(1[3-9]\d{9})")
_SEPARATORS = re.compile(r"[\s\-()（）.]+")
_VISIBLE_PREFIX_DIGITS = 3
_MAX_FULLY_MASKED_DIGITS = 7


def normalised_phone(raw_phone: str, region: str) -> str | None:
    """The number in E.164 form, None if it is not a phone number; `region` (ISO 3166) applies to numbers without a country code."""
    digits = _SEPARATORS.sub("", raw_phone)
    # Most numbers are Chinese mobiles, for which phonenumbers takes some 40 times as long.
    if region == "CN" and (mobile := _MOBILE.fullmatch(digits)):
        return f"+86{mobile[1]}"
    try:
        number = phonenumbers.parse(raw_phone, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def normalised_complainant(complainant: Complainant, phone_region: str) -> Complainant:
    """The complainant with normalised phone and e-mail; text that is not a phone number is kept as it is."""
    changes: dict[str, str | None] = {name: (getattr(complainant, name) or "").strip() or None for name in CONTACT_FIELDS}
    if phone := changes["phone"]:
        changes["phone"] = normalised_phone(phone, phone_region) or phone
    if email := changes["email"]:
        changes["email"] = email.lower()
    return complainant.model_copy(update=changes)


def masked(complainant: Complainant, pseudonym_key: bytes) -> MaskedComplainant:
    """The complainant as every consumer may see it: 王**, 138****0000; an anonymous one without name and phone."""
    anonymous = complainant.anonymous
    return MaskedComplainant(
        kind=complainant.kind,
        anonymous=anonymous,
        name=None if anonymous else masked_name(complainant.name),
        phone=None if anonymous else masked_phone(complainant.phone),
        id=pseudonym(complainant, pseudonym_key),
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


def pseudonym(complainant: Complainant, pseudonym_key: bytes) -> str | None:
    """A keyed hash of the phone, else the e-mail, else the identity; None if none is known. It cannot be reversed without the key."""
    identifier = next((f"{name}:{value}" for name in ("phone", "email", "identity") if (value := getattr(complainant, name))), None)
    return None if identifier is None else hmac.digest(pseudonym_key, identifier.encode(), "sha256").hex()[:32]
