"""Names and numbers from the published facts."""

from __future__ import annotations

import re

SECTIONS = ("attributes", "events", "purchases")
IDENTIFIERS = ("external_id", "user_alias", "braze_id", "email", "phone")
CONTROLS = {"_update_existing_only", "_merge_objects", "push_token_import"}
PROFILE = set(
    "alias_name alias_label braze_id country current_location date_of_first_session date_of_last_session dob email"
    " email_subscribe email_open_tracking_disabled email_click_tracking_disabled external_id facebook first_name gender"
    " home_city image_url language last_name marked_email_as_spam_at phone push_subscribe push_tokens"
    " subscription_groups time_zone twitter".split()
)
CURRENCIES = set(
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF"
    " CHE CHF CHW CLF CLP CNY COP COU CRC CUC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD"
    " GNF GTQ GYD HKD HNL HRK HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP"
    " LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN"
    " PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SLL SOS SRD SSP STN SVC SYP SZL THB TJS"
    " TMT TND TOP TRY TTD TWD TZS UAH UGX USD USN UYI UYU UYW UZS VED VES VND VUV WST XAF XAG XAU XBA XBB XBC XBD XCD"
    " XCG XDR XOF XPD XPF XPT XSU XTS XUA XXX YER ZAR ZMW ZWG ZWL".split()
)
ROUTES = {
    "/users/track/sync": "sync",
    "/users/track": "track",
    "/users/delete": "delete",
    "/users/export/ids": "export",
}
LIMITS = {"track": 50_000, "delete": 20_000, "export": 250, "elsewhere": 250_000}
LARGEST = 4 * 1024 * 1024
REASONS = {
    200: "OK", 201: "Created", 202: "Accepted", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden",
    404: "Not Found", 405: "Method Not Allowed", 413: "Payload Too Large", 415: "Unsupported Media Type",
    422: "Unprocessable Entity", 429: "Too Many Requests", 500: "Internal Server Error", 503: "Service Unavailable",
}  # fmt: skip
INVALID = "Valid data must be provided in the 'attributes', 'events', or 'purchases' fields."
NO_IDENTIFIER = "'external_id', 'braze_id', 'user_alias', 'email' or 'phone' is required"
BAD_EMAIL = "The value provided for the 'email' field is not a valid email."
BEFORE_THE_ENDPOINT = ("not JSON", "not an object", "nested too deeply", "nothing to do", "too large", "content type")
EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
DELAY = 0.05
