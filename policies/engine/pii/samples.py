"""What the family must find, and what it must leave alone: checked by the tests, row by row.

All persons, numbers and addresses are made up.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A text and the (kind, value) pairs to find in it, in order, when it stands under `key`.

    `twin` names the rule that a text without findings is the harmless twin of; `countries` are
    those whose national numbers are looked for.
    """

    name: str
    text: str
    found: tuple[tuple[str, str], ...] = ()
    key: str = ""
    twin: str = ""
    countries: tuple[str, ...] = ()


def _hit(name: str, text: str, *found: str, key: str = "", country: str = "") -> Sample:
    pairs = tuple((f"pii.{kind}", value) for kind, _, value in (f.partition("=") for f in found))
    countries = (country,) if country else ()
    return Sample(name=name, text=text, found=pairs, key=key, countries=countries)


def _miss(name: str, *, twin: str, text: str, country: str = "") -> Sample:
    countries = (country,) if country else ()
    return Sample(name=name, text=text, twin=twin, countries=countries)


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
    _miss(
        "ssn area never issued", twin="ssn.itin", text="SSN 000-22-8726, 666-22-8726, 936-22-8726"
    ),
    _miss("ssn group never issued", twin="ssn.grouped", text="SSN 536-00-8726"),
    _miss("ssn shape that is an order", twin="ssn.grouped", text="order 536-22-8726 shipped"),
    _miss("ssn shape under an id", twin="ssn.grouped", text='{"id": "536-22-8726", "n": 4}'),
    _miss("ssn shape of a request", twin="ssn.grouped", text="request_id 536-22-8726 to 03:68"),
    _miss("ssn shape of a member", twin="ssn.grouped", text="member 4411 of 536-22-8726"),
    _miss("ssn shape that is a code", twin="ssn.grouped", text="code 536-22-8726 / 3916-4606"),
    _miss("ssn shape in a column of ids", twin="ssn.grouped", text="id,qty,at\n536-22-8726,3,5\n"),
    _hit("ssn of a patient", "Patient ID: 536-22-8726", "ssn=536-22-8726"),
    _hit("ssn of a user", '{"user_id": "536-22-8726"}', "ssn=536-22-8726"),
    _miss("part of a longer number", twin="ssn.grouped", text="ref 4536-22-8726-11"),
    _miss("bare nine digits", twin="ssn.bare", text="took 536228726 ns"),
    _miss("nine digits under an id", twin="ssn.bare", text='{"id": 536228726, "ssn": null}'),
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
    _miss("card with a wrong check digit", twin="card.grouped", text="card 4111 1111 1111 1112"),
    _miss("sixteen digits under ref", twin="card.bare", text='{"ref": "4111111111111111"}'),
    _miss("micro seconds", twin="card.bare", text="ts=1712345678901234 1698765432109876"),
    _miss("digits of a hash", twin="card.bare", text="sha 4111111111111111abcdef"),
    _miss("card number's row", twin="card.bare", text="card_id=79927398713"),
    # Aadhaar and PAN
    _hit("aadhaar grouped", "2341 2341 2346", "aadhaar=2341 2341 2346"),
    _hit("aadhaar bare, named", "Aadhaar: 234123412346", "aadhaar=234123412346"),
    _hit("aadhaar Devanagari", "आधार २३४१ २३४१ २३४६", "aadhaar=२३४१ २३४१ २३४६"),
    _miss("aadhaar wrong check digit", twin="aadhaar.grouped", text="Aadhaar 2341 2341 2347"),
    _miss("aadhaar bare", twin="aadhaar.bare", text="job 234123412346"),
    _miss("aadhaar mixed separators", twin="aadhaar.grouped", text="2341-2341 2346"),
    _miss("aadhaar inside a longer number", twin="aadhaar.grouped", text="2341 2341 2346 1234"),
    _hit("pan", "ABCPE1234F", "pan=ABCPE1234F"),
    _hit("pan lower case, named", "pan: abcpe1234f", "pan=abcpe1234f"),
    _miss("pan shape that is a sku", twin="pan.shape", text="sku ABCPE1234F"),
    _miss("pan of no holder", twin="pan.shape", text="ABCZE1234F"),
    _miss("pan lower case", twin="pan.shape", text="tmp/abcpe1234f"),
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
    _miss("example address alone", twin="email.example", text="write to jane.roe@example.com"),
    _miss("git", twin="email.address", text="git clone git@github.com:org/repo.git"),
    _miss("ssh", twin="email.address", text="ssh deploy@web1.corp.com uptime"),
    _miss("scp", twin="email.address", text="scp a.txt jane@host.corp.com:/tmp/"),
    _miss("noreply", twin="email.address", text="From: no-reply@corp-mail.com, noreply@firma.de"),
    _miss(
        "user information",
        twin="email.address",
        text="https://jane:x@host.corp.com/ postgres://jo@db.corp.com/x",
    ),
    _miss(
        "package versions",
        twin="email.address",
        text="npm i @scope/pkg@9.21.3 foo@1.2.dev actions/checkout@v4.1",
    ),
    _miss(
        "code",
        twin="email.address",
        text="@app.route\ny = a@b.T; m@n.dot(q); logo@2x.png getty@tty1.service",
    ),
    _miss("no domain", twin="email.address", text="root@localhost bob@server"),
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
    _miss("order number", twin="phone.national", text="order 4155552671"),
    _miss("version", twin="phone.american", text="version 415.555.2671"),
    _miss("a country code that is none", twin="phone.international", text="+999 415 555 2671"),
    _miss("sum", twin="phone.international", text="x = 5+14155552671"),
    _miss(
        "dates and times",
        twin="phone.national",
        text="call 2024-01-02 10:30:45 +0530, text 20240102030405",
    ),
    _miss("epoch", twin="phone.national", text="call 1712345678, text 1712345678901"),
    _miss("arguments", twin="phone.national", text="window.call(415, 555, 2671)"),
    _miss("row of a contact", twin="phone.national", text='{"contact_id": 4155552671}'),
    # IBAN, passport, address, birth
    _hit("iban", "IBAN DE89 3704 0044 0532 0130 00", "iban=DE89 3704 0044 0532 0130 00"),
    _hit("iban compact", "pay GB82WEST12345698765432", "iban=GB82WEST12345698765432"),
    _miss("iban wrong checksum", twin="iban.checked", text="IBAN DE88 3704 0044 0532 0130 00"),
    _miss("object id", twin="iban.checked", text="de89370400440532013000"),
    _hit("passport", "passport no. C01X00T47", "passport=C01X00T47"),
    _hit("passport under a key", '{"passport_number": "727006602"}', "passport=727006602"),
    _miss(
        "passport the library",
        twin="passport.named",
        text="passport.js 0.6.0, passport-local 12345678",
    ),
    _miss("nine characters", twin="passport.named", text="C01X00T47"),
    _hit("public address", "from 93.184.216.34 port 22", "ip=93.184.216.34"),
    _hit("public address, six", "ip=2a01:4f8:c17:1d2f::10", "ip=2a01:4f8:c17:1d2f::10"),
    _miss(
        "private addresses",
        twin="ip.four",
        text="10.0.0.1 172.16.3.4 192.168.1.1 127.0.0.1 fe80::1",
    ),
    _miss("resolvers", twin="ip.four", text="dig @8.8.8.8 x; nameserver 1.1.1.1"),
    _miss("network", twin="ip.four", text="allow 93.184.216.0/24"),
    _miss("versions", twin="ip.four", text="nginx/93.18.21.34 v10.2.3.4 Chrome/120.0.6099.109"),
    _hit("birth", "dob: 1980-04-12", "date_of_birth=1980-04-12"),
    _hit("birth in words", "born on 12 March 1980", "date_of_birth=12 March 1980"),
    _hit("birth column", "name,birth_date\nRoe,1980-04-12\n", "date_of_birth=1980-04-12"),
    _miss("another date", twin="birth.named", text="created 1980-04-12"),
    _miss("uuid", twin="phone.international", text="19409499-5635-4269-9056-007765251353"),
    _miss("isbn", twin="card.bare", text="isbn 978-3-16-148410-0, 9783161484100"),
    _miss(
        "a placeholder speaks for nobody",
        twin="ssn.bare",
        text="[SSN] 536228726, [PHONE] 4155552671",
    ),
    # Written otherwise, and in other languages
    _hit("taxpayer number", "ITIN: 912-78-4521", "ssn=912-78-4521"),
    _hit("ssn with middle dots", "SSN 536·22·8726", "ssn=536·22·8726"),
    _hit("ssn, the key of two words", "Tax ID = 536228726", "ssn=536228726"),
    _hit(
        "ssn in the only column",
        "ssn\n---\n536228726\n219551234\n",
        "ssn=536228726",
        "ssn=219551234",
    ),
    _hit("card with dots, named", "Visa 4716.5923.1234.8769", "credit_card=4716.5923.1234.8769"),
    _hit("card as pan", '{"pan": "4024007123456781"}', "credit_card=4024007123456781"),
    _hit(
        "card dictated",
        "card number 4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1",
        "credit_card=4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1",
    ),
    _hit("card in German", "Kreditkartennummer: 4012888888881881", "credit_card=4012888888881881"),
    _hit("aadhaar in Hindi", "आधार संख्या 234123412346", "aadhaar=234123412346"),
    _hit("aadhaar card", "aadhar card no: 234123412346", "aadhaar=234123412346"),
    _hit("phone in German", "Telefonnummer: 030 22334455", "phone=030 22334455"),
    _hit("phone in French", "Portable : 07 81 22 33 44", "phone=07 81 22 33 44"),
    _hit("phone in Portuguese", "Telefone: (11) 98765-4321", "phone=(11) 98765-4321"),
    _hit("phone in Hindi", "मोबाइल नंबर 98765 43210", "phone=98765 43210"),
    _hit("phone in Japanese", "電話: 03-3234-5678", "phone=03-3234-5678"),
    _hit(
        "phone in a German table",
        "| Name | Handy |\n|--|--|\n| Uli | 0151 23456789 |",
        "phone=0151 23456789",
    ),
    _hit("phone dialled from abroad", "dial 011 44 20 7946 0018", "phone=011 44 20 7946 0018"),
    _hit("phone of an old plan, named", "WhatsApp +52 1 55 1234 5678", "phone=+52 1 55 1234 5678"),
    _hit("phone in a chat link", "https://wa.me/4915123456789?text=x", "phone=4915123456789"),
    _hit("phone with dots", "tél. 06.12.34.56.78", "phone=06.12.34.56.78"),
    _hit("passport in Italian", "numero di passaporto YA1234567", "passport=YA1234567"),
    _hit("passport in Hindi", "पासपोर्ट नंबर J8369854", "passport=J8369854"),
    _hit("birth in Italian", "data di nascita 12/03/1985", "date_of_birth=12/03/1985"),
    _hit("birth in German", "Geboren am 12.03.1985 in Köln", "date_of_birth=12.03.1985"),
    _hit("hardware address", "MAC address: 3c:22:fb:1a:b2:c3", "mac_address=3c:22:fb:1a:b2:c3"),
    _hit("ssn in cells of HTML", "<td>SSN</td><td>536228726</td>", "ssn=536228726"),
    _hit("ssn under a key of YAML", "ssn:\n  value: 536228726", "ssn=536228726"),
    _hit("ssn of a setter", 'person.setSsn("536228726");', "ssn=536228726"),
    _hit(
        "rows that pg_dump writes",
        "COPY p (id, ssn, phone) FROM stdin;\n1\t536228726\t0171 2345678\n\\.",
        "ssn=536228726",
        "phone=0171 2345678",
    ),
    _hit("card on a track", "%B4111111111111111^ROE/JO^2912", "credit_card=4111111111111111"),
    _hit(
        "phones in a list of YAML",
        "phones:\n- 0171 2345678\n- 030 1234567",
        "phone=0171 2345678",
        "phone=030 1234567",
    ),
    _hit("phone after an abbreviation", "Tel.0171-2345678", "phone=0171-2345678"),
    _hit(
        "phones with a stroke between",
        "phones: 01712345678/0301234567",
        "phone=01712345678",
        "phone=0301234567",
    ),
    _hit("phone American, compact", "(415)5552671", "phone=(415)5552671"),
    _hit("phone in brackets", "(+49) 171 2345678", "phone=(+49) 171 2345678"),
    _hit("phone with a count behind", "Missed call 0171 2345678 (2)", "phone=0171 2345678"),
    _miss("ssn shape of a page", twin="ssn.grouped", text="page=536-22-8726 block=661379"),
    _miss("ssn shape of a key", twin="ssn.grouped", text='{"key_id": "536-22-8726", "row": 5}'),
    _miss("ssn shape of a lot", twin="ssn.grouped", text="lot 98011243548414 of 536-22-8726"),
    _miss("column of bar codes", twin="card.bare", text="n,barcode\n4,4111111111111111\n"),
    _hit("phone of a card file", "TEL;TYPE=HOME:0034 91 123 45 67", "phone=0034 91 123 45 67"),
    _hit("phone of a signature", "Regards\nM: +44 7700 900456\n", "phone=+44 7700 900456"),
    _miss("depth of a stack", twin="phone.national", text="call stack depth 123456789"),
    _miss("widths", twin="phone.national", text="mobile breakpoints: 320 480 768 1024 1280"),
    _miss(
        "example address beside a network address",
        twin="email.example",
        text="from=<a@b.example>, client=unknown[10.0.0.3]",
    ),
    _hit("phone beside a room", "Room 5, 415-555-2671", "phone=415-555-2671"),
    _miss("nested under another key", twin="ssn.bare", text="job:\n  value: 536228726"),
    _miss("setter of another", twin="ssn.bare", text='setOrder("536228726")'),
    _miss("another cell", twin="phone.national", text="<td>Order</td><td>0171 2345678</td>"),
    _miss("hardware address, unnamed", twin="mac.named", text="eth0 3c:22:fb:1a:b2:c3"),
    _miss("address of a container", twin="mac.named", text="mac 02:42:ac:11:00:02"),
    _miss("a fingerprint", twin="mac.named", text="mac 3c:22:fb:1a:b2:c3:d4:e5"),
    _miss("table of codes", twin="card.grouped", text="50F9 5105 1051 0510 5100 51AB"),
    _miss("codes with blanks", twin="aadhaar.grouped", text="4E81 4EB4 2341 2341 2346 5068"),
    _miss("coordinates", twin="phone.national", text='tel (14.62578, "121.12251")'),
    _miss("years", twin="phone.national", text="2002-2007, Telecommunications Lab"),
    _miss("a clause", twin="phone.american", text="Clause 252.227-7013 (c)"),
    _miss("cell of a sheet", twin="phone.national", text="cell A1: 4155552671"),
    _miss("a round number", twin="phone.national", text="reach 100000000 users by 2030"),
    _miss("end of a drawing", twin="ip.four", text="c0 1.52-.87 2.83-2.12 3.51.98.32 2.03.5 3.1"),
    _miss(
        "other addresses, six",
        twin="ip.six",
        text="fe80::1 fd12:3456:789a::1 2001:db8::8a2e:370:7334",
    ),
    _miss(
        "month of another word", twin="birth.named", text="without a date of birth (from July 2017)"
    ),
    # National numbers, where their country is on
    _hit("German", "Steuer-ID: 36 574 261 809", "national_id.de=36 574 261 809", country="de"),
    _hit("British", "NINO AB123456C", "national_id.gb=AB123456C", country="gb"),
    _hit("British, in pairs", "for AB 12 34 56 C", "national_id.gb=AB 12 34 56 C", country="gb"),
    _hit("French", "2 95 10 99 126 111 93", "national_id.fr=2 95 10 99 126 111 93", country="fr"),
    _hit("Spanish", "DNI: 54362315K", "national_id.es=54362315K", country="es"),
    _hit("Spanish, foreigner", "nie X-2482300-W", "national_id.es=X-2482300-W", country="es"),
    _hit("Italian", "CF RCCMNL83S18D969H", "national_id.it=RCCMNL83S18D969H", country="it"),
    _hit("Brazilian", "cpf: 390.533.447-05", "national_id.br=390.533.447-05", country="br"),
    _hit("Canadian", "SIN: 123-456-782", "national_id.ca=123-456-782", country="ca"),
    _hit("Australian", '{"tfn": "123456782"}', "national_id.au=123456782", country="au"),
    _hit("Dutch", "BSN 1112.22.333", "national_id.nl=1112.22.333", country="nl"),
    _hit("Polish", "pesel 44051401359", "national_id.pl=44051401359", country="pl"),
    _miss("off unless switched on", twin="national.gb", text="NINO AB123456C"),
    _miss("German, unnamed", twin="national.de", text="order 36574261809", country="de"),
    _miss("British, not given out", twin="national.gb", text="NINO BG123456C", country="gb"),
    _miss("French, wrong check", twin="national.fr", text="2 95 10 99 126 111 94", country="fr"),
    _miss("Spanish, wrong letter", twin="national.es", text="DNI: 54362315A", country="es"),
    _miss("Italian, wrong letter", twin="national.it", text="RCCMNL83S18D969A", country="it"),
    _miss("Brazilian, unnamed", twin="national.br", text="run 39053344705", country="br"),
    _miss("Canadian, unnamed", twin="national.ca", text="took 123 456 782 ns", country="ca"),
    _miss("Australian, unnamed", twin="national.au", text="123 456 782 rows", country="au"),
    _miss("Dutch, unnamed", twin="national.nl", text="id 111222333", country="nl"),
    _miss("Polish, unnamed", twin="national.pl", text="build 44051401359", country="pl"),
)
