"""Who complains: phone numbers in one form, names masked, the same person recognised by a keyed hash."""

import hmac
import re

import phonenumbers

from shared.contracts.complaint import Complainant, MaskedComplainant

CONTACT = ("name", "phone", "email", "address", "identity", "enterprise", "household")
_MOBILE = re.compile(r"(?:\+?86|0086)?(1[3-9]\d{9})")
_SEPARATORS = re.compile(r"[\s\-()（）.]+")
_KEPT = 3
_LEAST = 7


def normal_phone(written: str, region: str) -> str | None:
    """The number in E.164 form, None if it is none; `region` (ISO 3166) is for numbers without a country code."""
    digits = _SEPARATORS.sub("", written)
    if region == "CN" and (mobile := _MOBILE.fullmatch(digits)):
        return f"+86{mobile[1]}"
    try:
        number = phonenumbers.parse(written, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def normal(who: Complainant, region: str) -> Complainant:
    """The complainant with phone and e-mail in one form; what cannot be read as a phone number stays as it was written."""
    changes: dict[str, str | None] = {name: (getattr(who, name) or "").strip() or None for name in CONTACT}
    if phone := changes["phone"]:
        changes["phone"] = normal_phone(phone, region) or phone
    if email := changes["email"]:
        changes["email"] = email.lower()
    return who.model_copy(update=changes)


def masked(who: Complainant, key: bytes) -> MaskedComplainant:
    """What every consumer may see: 王**, 138****0000; of the anonymous neither."""
    hidden = who.anonymous
    return MaskedComplainant(
        kind=who.kind,
        anonymous=who.anonymous,
        name=None if hidden else masked_name(who.name),
        phone=None if hidden else masked_phone(who.phone),
        id=pseudonym(who, key),
        identity=who.identity,
        enterprise=who.enterprise,
        household=who.household,
        has=[name for name in CONTACT if getattr(who, name)],
    )


def masked_name(name: str | None) -> str | None:
    """The first character, then two stars."""
    return f"{name[0]}**" if name else None


def masked_phone(phone: str | None) -> str | None:
    """The first three and the last four digits of the national number; of a short one nothing."""
    if not phone:
        return None
    digits = "".join(c for c in phone.removeprefix("+86") if c.isdigit())
    return f"{digits[:_KEPT]}****{digits[-4:]}" if len(digits) > _LEAST else "****"


def pseudonym(who: Complainant, key: bytes) -> str | None:
    """The same for the same phone, else e-mail, else identity; None if none is known. Nobody without the key can find it out."""
    known = next((f"{name}:{value}" for name in ("phone", "email", "identity") if (value := getattr(who, name))), None)
    return None if known is None else hmac.digest(key, known.encode(), "sha256").hex()[:32]
