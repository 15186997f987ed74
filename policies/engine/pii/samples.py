"""What the family must find, and what it must leave alone: checked by the tests, row by row.

All persons, numbers and addresses are made up.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A text and the (kind, value) pairs to find in it, in order, when it stands under `key`."""

    name: str
    text: str
    found: tuple[tuple[str, str], ...] = ()
    key: str = ""


def _hit(name: str, text: str, *found: str, key: str = "") -> Sample:
    pairs = tuple((f"pii.{kind}", value) for kind, _, value in (f.partition("=") for f in found))
    return Sample(name=name, text=text, found=pairs, key=key)


def _miss(name: str, text: str, key: str = "") -> Sample:
    return Sample(name=name, text=text, key=key)


SAMPLES = (
    # Social security numbers
    _hit("ssn alone", "536-22-8726", "ssn=536-22-8726"),
    _hit("ssn in grep", "grep '219-55-1234' people.csv", "ssn=219-55-1234"),
    _hit("ssn in where", "SELECT * FROM p WHERE ssn LIKE '536-22-8726'", "ssn=536-22-8726"),
    _hit("bare ssn in a list", "where ssn in ('536228726')", "ssn=536228726"),
    _hit("bare ssn named", "her social security number is 536228726.", "ssn=536228726"),
    _hit("bare ssn under a key", '{"taxId": "536228726"}', "ssn=536228726"),
    _hit("bare ssn as a whole part", "536228726", "ssn=536228726", key="ssn"),
    _hit("ssn with blanks, named", "SSN 536 22 8726", "ssn=536 22 8726"),
    _hit("ssn with dots, named", "ssn: 536.22.8726", "ssn=536.22.8726"),
    _hit("ssn with en dashes", "SSN 536–22–8726", "ssn=536–22–8726"),
    _hit("ssn in a path", "curl http://api/people/536-22-8726/notes", "ssn=536-22-8726"),
    _hit("ssn in a form body", "name=x&ssn=536-22-8726%20", "ssn=536-22-8726"),
    _hit(
        "ssn after an escaped line break",
        '{"out": "done\\n536-22-8726\\n"}',
        "ssn=536-22-8726",
    ),
    _hit(
        "ssn in a psql table",
        " id | email | ssn\n----+------+----\n 7 | a.roe@corp-mail.com | 536228726\n",
        "email=a.roe@corp-mail.com",
        "ssn=536228726",
    ),
    _hit(
        "ssn in an insert",
        "INSERT INTO p (id, ssn, n) VALUES (1, '536228726', 123456789), (2, '219551234', 5)",
        "ssn=536228726",
        "ssn=219551234",
    ),
    _hit("ssn in psql's expanded form", "-[ RECORD 1 ]\nssn | 536228726\n", "ssn=536228726"),
    _hit("every ssn", "536-22-8726 " * 150, *["ssn=536-22-8726"] * 150),
    _miss("ssn area never issued", "SSN 000-22-8726, 666-22-8726, 936-22-8726"),
    _miss("ssn group never issued", "SSN 536-00-8726"),
    _miss("ssn shape that is an order", "order 536-22-8726 shipped"),
    _miss("part of a longer number", "ref 4536-22-8726-11"),
    _miss("bare nine digits", "took 536228726 ns"),
    _miss("nine digits under an id", '{"id": 536228726, "ssn": null}'),
    # Cards
    _hit("card grouped", "4111 1111 1111 1111", "credit_card=4111 1111 1111 1111"),
    _hit("card bare", "paid with 5555555555554444 today", "credit_card=5555555555554444"),
    _hit("card amex", "3782-822463-10005", "credit_card=3782-822463-10005"),
    _hit("card with expiry", "4012888888881881,12/29,123", "credit_card=4012888888881881"),
    _hit(
        "card full width",
        "４１１１ １１１１ １１１１ １１１１",
        "credit_card=４１１１ １１１１ １１１１ １１１１",
    ),
    _hit("card of a rare issuer, named", "card=6304000000000000", "credit_card=6304000000000000"),
    _miss("card with a wrong check digit", "card 4111 1111 1111 1112"),
    _miss("sixteen digits under ref", '{"ref": "4111111111111111"}'),
    _miss("micro seconds", "ts=1712345678901234 1698765432109876"),
    _miss("digits of a hash", "sha 4111111111111111abcdef"),
    _miss("card number's row", "card_id=79927398713"),
    # Aadhaar and PAN
    _hit("aadhaar grouped", "2341 2341 2346", "aadhaar=2341 2341 2346"),
    _hit("aadhaar bare, named", "Aadhaar: 234123412346", "aadhaar=234123412346"),
    _hit("aadhaar Devanagari", "आधार २३४१ २३४१ २३४६", "aadhaar=२३४१ २३४१ २३४६"),
    _miss("aadhaar wrong check digit", "Aadhaar 2341 2341 2347"),
    _miss("aadhaar bare", "job 234123412346"),
    _miss("aadhaar mixed separators", "2341-2341 2346"),
    _miss("aadhaar inside a longer number", "2341 2341 2346 1234"),
    _hit("pan", "ABCPE1234F", "pan=ABCPE1234F"),
    _hit("pan lower case, named", "pan: abcpe1234f", "pan=abcpe1234f"),
    _miss("pan shape that is a sku", "sku ABCPE1234F"),
    _miss("pan of no holder", "ABCZE1234F"),
    _miss("pan lower case", "tmp/abcpe1234f"),
    # Email
    _hit("email in sql", "UPDATE u SET m='jane.roe@corp-mail.com'", "email=jane.roe@corp-mail.com"),
    _hit("email with a tag", "to: jo+news@firma.de.", "email=jo+news@firma.de"),
    _hit("email with letters of elsewhere", "jürgen@firma.de", "email=jürgen@firma.de"),
    _hit("email in a URL", "?to=jane%40corp-mail.com&x=1", "email=jane%40corp-mail.com"),
    _hit("email after an escape", '"a\\njane@corp-mail.com"', "email=jane@corp-mail.com"),
    _hit("email of mailto", "<a href=mailto:jo@firma.de>", "email=jo@firma.de"),
    _hit(
        "example address beside an ssn",
        '{"email":"jane.roe@example.com","ssn":"536-22-8726"}',
        "email=jane.roe@example.com",
        "ssn=536-22-8726",
    ),
    _miss("example address alone", "write to jane.roe@example.com"),
    _miss("git", "git clone git@github.com:org/repo.git"),
    _miss("ssh", "ssh deploy@web1.corp.com uptime"),
    _miss("scp", "scp a.txt jane@host.corp.com:/tmp/"),
    _miss("noreply", "From: no-reply@corp-mail.com, noreply@firma.de"),
    _miss("user information", "https://jane:x@host.corp.com/ postgres://jo@db.corp.com/x"),
    _miss("package versions", "npm i @scope/pkg@9.21.3 foo@1.2.dev actions/checkout@v4.1"),
    _miss("code", "@app.route\ny = a@b.T; m@n.dot(q); logo@2x.png getty@tty1.service"),
    _miss("no domain", "root@localhost bob@server"),
    # Phones
    _hit("phone international", "+1 415 555 2671", "phone=+1 415 555 2671"),
    _hit("phone compact", "echo +4915123456789 >> n", "phone=+4915123456789"),
    _hit("phone with (0)", "+44 (0)20 7946 0958", "phone=+44 (0)20 7946 0958"),
    _hit("phone American", "(415) 555-2671", "phone=(415) 555-2671"),
    _hit("phone American, dashes", "1-415-555-2671", "phone=1-415-555-2671"),
    _hit("phone with extension", "+1-415-555-2671x12", "phone=+1-415-555-2671"),
    _hit("phone national, named", "Her mobile is 07700 900123", "phone=07700 900123"),
    _hit("phone national, called", "Call 0171 1234567 please", "phone=0171 1234567"),
    _hit("phone column", "name,mobile\nRoe,078 168 44 10\n", "phone=078 168 44 10"),
    _hit("phone bare under a key", '{"phoneNumber": "4155552671"}', "phone=4155552671"),
    _hit("phone as a whole part", "078 168 44 10", "phone=078 168 44 10", key="phone"),
    _miss("order number", "order 4155552671"),
    _miss("version", "version 415.555.2671"),
    _miss("a country code that is none", "+999 415 555 2671"),
    _miss("sum", "x = 5+14155552671"),
    _miss("dates and times", "call 2024-01-02 10:30:45 +0530, text 20240102030405"),
    _miss("epoch", "call 1712345678, text 1712345678901"),
    _miss("arguments", "window.call(415, 555, 2671)"),
    _miss("row of a contact", '{"contact_id": 4155552671}'),
    # IBAN, passport, address, birth
    _hit("iban", "IBAN DE89 3704 0044 0532 0130 00", "iban=DE89 3704 0044 0532 0130 00"),
    _hit("iban compact", "pay GB82WEST12345698765432", "iban=GB82WEST12345698765432"),
    _miss("iban wrong checksum", "IBAN DE88 3704 0044 0532 0130 00"),
    _miss("object id", "de89370400440532013000"),
    _hit("passport", "passport no. C01X00T47", "passport=C01X00T47"),
    _hit("passport under a key", '{"passport_number": "727006602"}', "passport=727006602"),
    _miss("passport the library", "passport.js 0.6.0, passport-local 12345678"),
    _miss("nine characters", "C01X00T47"),
    _hit("public address", "from 93.184.216.34 port 22", "ip=93.184.216.34"),
    _hit("public address, six", "ip=2a01:4f8:c17:1d2f::10", "ip=2a01:4f8:c17:1d2f::10"),
    _miss("private addresses", "10.0.0.1 172.16.3.4 192.168.1.1 127.0.0.1 fe80::1"),
    _miss("resolvers", "dig @8.8.8.8 x; nameserver 1.1.1.1"),
    _miss("network", "allow 93.184.216.0/24"),
    _miss("versions", "nginx/93.18.21.34 v10.2.3.4 Chrome/120.0.6099.109"),
    _hit("birth", "dob: 1980-04-12", "date_of_birth=1980-04-12"),
    _hit("birth in words", "born on 12 March 1980", "date_of_birth=12 March 1980"),
    _hit("birth column", "name,birth_date\nRoe,1980-04-12\n", "date_of_birth=1980-04-12"),
    _miss("another date", "created 1980-04-12"),
    _miss("uuid", "19409499-5635-4269-9056-007765251353"),
    _miss("isbn", "isbn 978-3-16-148410-0, 9783161484100"),
    _miss("a placeholder speaks for nobody", "[SSN] 536228726, [PHONE] 4155552671"),
)
