"""Who complains: phone numbers in one form, names masked, the same person recognised by a keyed hash."""

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
    """The number in E.164 form, None if it is none; `region` (ISO 3166) is for numbers without a country code."""
    digits = _SEPARATORS.sub("", raw_phone)
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
    """The complainant with phone and e-mail in one form; what cannot be read as a phone number stays as it was written."""
    changes: dict[str, str | None] = {name: (getattr(complainant, name) or "").strip() or None for name in CONTACT_FIELDS}
    if phone := changes["phone"]:
        changes["phone"] = normalised_phone(phone, phone_region) or phone
    if email := changes["email"]:
        changes["email"] = email.lower()
    return complainant.model_copy(update=changes)


def masked(complainant: Complainant, pseudonym_key: bytes) -> MaskedComplainant:
    """What every consumer may see: 王**, 138****0000; of the anonymous neither."""
    hidden = complainant.anonymous
    return MaskedComplainant(
        kind=complainant.kind,
        anonymous=complainant.anonymous,
        name=None if hidden else masked_name(complainant.name),
        phone=None if hidden else masked_phone(complainant.phone),
        id=pseudonym(complainant, pseudonym_key),
        identity=complainant.identity,
        enterprise=complainant.enterprise,
        household=complainant.household,
        has=[name for name in CONTACT_FIELDS if getattr(complainant, name)],
    )


def masked_name(name: str | None) -> str | None:
    """The first character, then two stars."""
    return f"{name[0]}**" if name else None


def masked_phone(phone: str | None) -> str | None:
    """The first three and the last four digits of the national number; of a short one nothing."""
    if not phone:
        return None
    digits = "".join(c for c in phone.removeprefix("+86") if c.isdigit())
    return f"{digits[:_VISIBLE_PREFIX_DIGITS]}****{digits[-4:]}" if len(digits) > _MAX_FULLY_MASKED_DIGITS else "****"


def pseudonym(complainant: Complainant, pseudonym_key: bytes) -> str | None:
    """The same for the same phone, else e-mail, else identity; None if none is known. Nobody without the key can find it out."""
    known = next((f"{name}:{value}" for name in ("phone", "email", "identity") if (value := getattr(complainant, name))), None)
    return None if known is None else hmac.digest(pseudonym_key, known.encode(), "sha256").hex()[:32]
