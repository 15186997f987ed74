"""Samples of the rules: what each must find, and a twin that it must leave alone."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A text that a rule must find (`attack`) and one close to it that nothing may be found in."""

    kind: str
    rule: str
    attack: str
    twin: str
    language: str = "sql"


def _injection(rule: str, attack: str, twin: str, language: str = "sql") -> Sample:
    return Sample(kind="sql.injection", rule=rule, attack=attack, twin=twin, language=language)


def _destructive(rule: str, attack: str, twin: str, language: str = "sql") -> Sample:
    return Sample(kind="sql.destructive", rule=rule, attack=attack, twin=twin, language=language)


SAMPLES = (
    # Injection into statements.
    _injection(
        "tautology",
        "SELECT * FROM invoices WHERE number = '' OR '7'='7'",
        "SELECT * FROM invoices WHERE 1=1 AND number = '7' OR number = '8'",
    ),
    _injection(
        "tautology",
        "SELECT id FROM invoices WHERE owner = 4 AND 3=3",
        "SELECT id FROM invoices WHERE 3=3 AND owner = 4",
    ),
    _injection(
        "tautology",
        "UPDATE invoices SET note = '' OR 'q'='q' WHERE id = 4",
        "UPDATE invoices SET note = 'this or that = q' WHERE id = 4",
    ),
    _injection(
        "union_select",
        "SELECT title, body FROM pages WHERE id = 9 UNION SELECT NULL, NULL",
        "SELECT title, body FROM pages UNION ALL SELECT title, body FROM drafts",
    ),
    _injection(
        "union_select",
        "SELECT title, body FROM pages WHERE id = 9 UNION ALL SELECT 1,2,3",
        "SELECT 'low' AS level, 1 AS rank UNION ALL SELECT 'high', 2",
    ),
    _injection(
        "union_select",
        "SELECT title FROM pages WHERE id = 9 UNION SELECT tables FROM information_schema.tables",
        "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'",
    ),
    _injection(
        "stacked",
        "SELECT * FROM pages WHERE id = 3; WAITFOR DELAY '0:0:9'",
        "SELECT * FROM pages WHERE id = 3; SELECT * FROM tags",
    ),
    _injection("comment_tail", "DROP TABLE users; --", "SELECT 1 -- note"),
    _injection(
        "comment_tail",
        "SELECT * FROM staff WHERE login = 'kim'--' AND password = 'x'",
        "SELECT * FROM staff WHERE login = 'kim--x' -- who was it\n AND active",
    ),
    _injection(
        "time_probe",
        "SELECT * FROM staff WHERE id = 3 AND SLEEP(4)",
        "SELECT pg_sleep(1)",
    ),
    _injection(
        "time_probe",
        "SELECT * FROM staff WHERE id = (SELECT 8 FROM pg_sleep(9))",
        "SELECT sleep_hours FROM staff WHERE id = 3",
    ),
    _injection(
        "error_probe",
        "SELECT * FROM staff WHERE id = 3 AND extractvalue(1, concat(0x7e, version()))",
        "SELECT extractvalue(doc, '/a/b') FROM documents",
    ),
    _injection(
        "error_probe",
        "SELECT * FROM staff WHERE id = CAST((SELECT secret FROM vault LIMIT 1) AS int)",
        "SELECT CAST(price AS int) FROM goods WHERE id = 3",
    ),
    _injection(
        "out_of_band",
        "SELECT name FROM goods WHERE id = utl_http.request('http://collector.example/')",
        "SELECT name FROM http_requests WHERE id = 3",
    ),
    _injection(
        "blind_probe",
        "SELECT name FROM goods WHERE id = 3 AND ascii(substr((SELECT pin FROM vault),1,1)) > 64",
        "SELECT name FROM goods WHERE substr(code, 1, 2) = 'AB'",
    ),
    _injection(
        "inline_comment",
        "SELECT name FROM goods WHERE id = 3 /*!50000UNION*/ /*!50000SELECT*/ pin FROM vault",
        "/*!40101 SET NAMES utf8 */; SELECT /*+ INDEX(goods) */ name FROM goods",
    ),
    _injection(
        "misplaced_clause",
        "SELECT name FROM goods WHERE id = OR 5 > 4",
        "SELECT name FROM goods WHERE id = ANY (ARRAY[5, 4])",
    ),
    _injection(
        "conditional_probe",
        "SELECT name FROM goods WHERE id = 3 RLIKE (SELECT (CASE WHEN (7=7) THEN 3 ELSE 8 END))",
        "SELECT name FROM goods ORDER BY CASE WHEN stock = 0 THEN 1 ELSE 0 END",
    ),
    _injection(
        "encoded_text",
        "SELECT name FROM goods WHERE code = CHR(88)||CHR(89)||CHR(90)",
        "SELECT name || CHR(13) || CHR(10) FROM goods WHERE code = 'XYZ'",
    ),
    _injection(
        "open_quote",
        "SELECT name FROM goods WHERE code = 'x' OR note = 'y' AND '1'='1",
        "SELECT name FROM goods WHERE code = 'O'Hara'",
    ),
    _injection(
        "time_probe",
        "SELECT name FROM goods WHERE id = 3 AND 5=(SELECT 5 FROM generate_series(1,7000000))",
        "SELECT day FROM generate_series(1, 7000000) AS day WHERE day % 7 = 0",
    ),
    _injection(
        "union_select",
        "SELECT * FROM pages WHERE id IN (9 UNION SELECT 41, 42)",
        "SELECT * FROM pages WHERE id IN (SELECT page FROM tags UNION SELECT page FROM links)",
    ),
    _injection(
        "breakout",
        "SELECT name FROM goods WHERE code = 'x' procedure analyse(1)-- ' AND stock > 0",
        "SELECT name FROM goods WHERE code = 'x' ORDER BY name",
    ),
    _injection(
        "tautology",
        'SELECT name FROM goods WHERE code = "" OR ""*""',
        'SELECT name FROM goods WHERE code = "" OR note = ""',
    ),
    _injection(
        "tautology",
        "SELECT name FROM goods WHERE code = 'x' OR user LIKE '%%'",
        "SELECT name FROM goods WHERE code = 'x' OR note LIKE '%a%'",
    ),
    _injection(
        "breakout",
        "SELECT * FROM goods WHERE id = 4 ORDER BY 1,2,3,4,5,6,7,8,9",
        "SELECT a, count(*) FROM goods WHERE id = 4 GROUP BY 1 ORDER BY 1, 2",
    ),
    _injection(
        "breakout",
        "INSERT INTO goods (code, n) VALUES ('x' (SELECT pin FROM vault) '', 4)",
        "INSERT INTO goods (code, n) VALUES ((SELECT pin FROM vault), 4)",
    ),
    _injection(
        "comment_tail",
        "DELETE FROM goods WHERE id = -- x",
        "DELETE FROM goods WHERE id = -- x\n 4",
    ),
    _injection(
        "misplaced_clause",
        "SELECT name FROM goods WHERE id = load_file(",
        "SELECT name FROM goods WHERE id = my_lookup(",
    ),
    _injection(
        "misplaced_clause",
        "SELECT name FROM goods WHERE id IN () OR '4'='4)",
        "SELECT name FROM goods WHERE id IN (4) OR code = '4='",
    ),
    _injection(
        "misplaced_clause",
        "SELECT name FROM goods WHERE id = 4 UNION SELECT 6 INTO @,@",
        "SELECT name, price INTO @name, @price FROM goods WHERE id = 4",
    ),
    _injection(
        "blind_probe",
        "SELECT name FROM goods WHERE code = 'x' AND substring(pin/text(),2,1)='4'",
        "SELECT name FROM goods WHERE code = 'x' AND substring(pin,2,1)='4'",
    ),
    _injection(
        "out_of_band",
        "SELECT name FROM goods WHERE code = ''||qcmdexc('DSPJOB')",
        "CALL qsys2.qcmdexc('DSPJOB')",
    ),
    # Bare values.
    _injection("breakout", "kim' isnull --", "kim's isnull -- why?", "auto"),
    _injection("breakout", "' grant dba to kim; --", "5' of grant money to Kim's club", "auto"),
    _injection("breakout", "'||(concat(bin(4),hex(9)))", "Lp'||(Xw3", "auto"),
    _injection("comment_tail", "kim'/* x */;", "f('kim', /* x */ 4);", "auto"),
    _injection("tautology", '"kim"" or 4=4--"', '"kim ""or"" 4=4 people"', "auto"),
    _injection("tautology", "or+4=4+#", "or+else", "auto"),
    _injection("breakout", "kim' and pin like '4%", "kim and ann's pin", "auto"),
    _injection("breakout", "kim` order by 4-- x", "the `order by 4` clause", "auto"),
    _injection("breakout", "7) or (name = 'kim", "7) or so they said", "auto"),
    _injection("breakout", "4 order by 6", "4 orders by 6 people", "auto"),
    _injection("conditional_probe", "iif(61=61, 4, 1/0)", "if (a == 61) { b = 4 }", "auto"),
    _injection("inline_comment", "4/**/or/**/6=6", "src/**/or/**/*.ts", "auto"),
    _injection("tautology", "4' and '6'='6'#x\nand#y\n'6'='6", "#4 and #6\n#x", "auto"),
    _injection("union_select", "4' un/**/ion se/**/lect 1,2-- x", "un/**/ion matters", "auto"),
    _injection("breakout", "%u006b%u0027%u0020or%u0020pin like %u0027%", "100%u of them", "auto"),
    _injection("tautology", "x' OR '5'='5", "O'Neil and Sons", "auto"),
    _injection("tautology", "12 or 4=4", "12 or 13 apples", "auto"),
    _injection("tautology", "') or ('k'='k", "the 'red' or 'blue' option", "auto"),
    _injection("comment_tail", "root'-- ", "rock 'n' roll -- the album", "auto"),
    _injection(
        "union_select", "-4 union all select 1,2,3", "the union of 4 sets, select one", "auto"
    ),
    _injection("stacked", "3; WAITFOR DELAY '0:0:4'", "3; wait for the delay of 4 s", "auto"),
    _injection("stacked", "5; DROP TABLE orders", "5; drop the table off at four", "auto"),
    _injection(
        "concatenation", "'||(select pin from vault)||'", "'||' is how strings are joined", "auto"
    ),
    _injection("lone_statement", "select * from pg_shadow", "select * from pg_tables", "auto"),
    _injection("lone_statement", "select sleep(3 * 4)", "select now()", "auto"),
    _injection("stacked", "exec(@order)", "exec(order)", "auto"),
    _injection(
        "lone_statement", "declare @o int select @o =", "declare @o int select @o = 4", "auto"
    ),
    _injection(
        "lone_statement",
        "select current_setting('krb_server_keyfile')",
        "select current_setting('work_mem')",
        "auto",
    ),
    _injection(
        "lone_statement", "5 or load_extension('x.so')", "db.load_extension('x.so')", "auto"
    ),
    _injection("lone_statement", "kim into outfile '/tmp/k'", "kim into a file '/tmp/k'", "auto"),
    _injection("lone_statement", "@@version", "@@ -4,7 +4,7 @@ version", "auto"),
    _injection(
        "lone_statement",
        "overlay(pin placing '' from 1 for 0)",
        "overlay (the first) placing names",
        "auto",
    ),
    _injection("breakout", "' div '4", "4' div 'x' is a tag", "auto"),
    _injection("concatenation", "'+char(65)+'", "'a' + char(65)", "auto"),
    _injection("breakout", "' or (active)", "'or (active) members'", "auto"),
    _injection("breakout", "5 or {x length(pin)>4}", "5 or {x: pin} of them", "auto"),
    _injection("tautology", "; or '4'='4'", "; or '4 by 4'", "auto"),
    _injection("breakout", "where 4=4 and 5=5#", "where 4 of 5 live", "auto"),
    _injection("union_select", "4 union values (5,6)", "4 union values of 1793", "auto"),
    _injection("union_select", "4 union table crew", "4 union table lamps, oak", "auto"),
    _injection("misplaced_clause", 'or engine!="', 'or engine!="diesel"', "auto"),
    _injection("misplaced_clause", "if(4=", "if(a=", "auto"),
    _injection("misplaced_clause", "from(select count(*),", "from (a select few)", "auto"),
    _injection(
        "conditional_probe",
        "and case when [x] then 4 else 5 end",
        "and case when the lid will not end",
        "auto",
    ),
    _injection("inline_comment", "in/**/(", "in/**/*.py", "auto"),
    _injection("comment_tail", "4/*'*/", "4/*.txt", "auto"),
    _injection("comment_tail", "kim');--", "f('kim'); // done", "auto"),
    _injection("comment_tail", "4;--", "4; -- and then 5", "auto"),
    _injection("comment_tail", "--sp_password", "exec sp_password", "auto"),
    _injection(
        "tautology",
        """or '{"a":4}' ?| array['a','b']""",
        """price ?| array['a','b']""",
        "auto",
    ),
    _injection("tautology", "5 or json_valid('{}')", "json_valid('{}') or 5", "auto"),
    _injection("tautology", "%27%20or%203%3D3--%20", "100%25 cotton or 3%25 wool", "auto"),
    _injection(
        "tautology",
        '{"name": "x\' or \'4\'=\'4", "limit": 3}',
        '{"name": "Mo\'s or Jo\'s", "limit": 3}',
        "auto",
    ),
    # Destruction.
    _destructive(
        "drop_table", "DROP TABLE IF EXISTS invoices CASCADE", "DROP INDEX invoices_by_day"
    ),
    _destructive("drop_database", "drop database shop", "SELECT 'drop database shop'"),
    _destructive("drop_schema", "/* tidy */ DROP SCHEMA legacy CASCADE", "CREATE SCHEMA legacy"),
    _destructive("truncate", "TRUNCATE invoices, lines", "SELECT truncate(price, 2) FROM lines"),
    _destructive("delete_all", "DELETE FROM invoices", "DELETE FROM invoices WHERE id = 3"),
    _destructive(
        "delete_all",
        "WITH gone AS (DELETE FROM invoices RETURNING *) SELECT count(*) FROM gone",
        "WITH gone AS (DELETE FROM invoices WHERE id = 3 RETURNING *) SELECT count(*) FROM gone",
    ),
    _destructive(
        "delete_all",
        "DELETE FROM invoices WHERE 2 > 1 OR id = 3",
        "EXPLAIN DELETE FROM invoices",
    ),
    _destructive(
        "delete_all", "EXPLAIN ANALYZE DELETE FROM invoices", "SELECT * FROM deleted_from_invoices"
    ),
    _destructive(
        "update_all",
        "UPDATE invoices SET paid = true WHERE id IS NOT NULL",
        "INSERT INTO invoices (id) VALUES (3) ON CONFLICT (id) DO UPDATE SET paid = true",
    ),
    _destructive(
        "drop_column",
        "ALTER TABLE invoices DROP COLUMN total",
        "ALTER TABLE invoices ALTER COLUMN total DROP DEFAULT, ADD COLUMN tax int",
    ),
    _destructive("server_program", "COPY t FROM PROGRAM 'id'", "COPY t FROM STDIN"),
    _destructive(
        "server_program", "EXEC master..xp_cmdshell 'dir'", "SELECT 'xp_cmdshell' AS topic"
    ),
    _destructive(
        "server_file",
        "SELECT pg_read_file('/etc/hostname')",
        "SELECT file_name FROM uploads WHERE pg_read = 3",
    ),
    _destructive(
        "server_file",
        "SELECT a FROM b INTO OUTFILE '/var/www/x.php'",
        "INSERT INTO outfiles (name) VALUES ('x')",
    ),
    _destructive(
        "grant_all",
        "GRANT ALL PRIVILEGES ON DATABASE shop TO intern",
        "GRANT SELECT ON invoices TO reporting",
    ),
    _destructive(
        "grant_superuser", "ALTER ROLE kim WITH SUPERUSER", "ALTER ROLE kim SET search_path = shop"
    ),
    _destructive(
        "alter_system", "ALTER SYSTEM SET log_min_messages = panic", "SHOW log_min_messages"
    ),
    _destructive("shutdown", "SHUTDOWN WITH NOWAIT", "SELECT shutdown FROM machines WHERE id = 3"),
    _destructive("shutdown", '{"sql": "shutdown"}', '{"status": "shutdown"}', "auto"),
    _destructive(
        "untrusted_language",
        "CREATE FUNCTION f() RETURNS int AS $$ import os $$ LANGUAGE plpython3u",
        "CREATE FUNCTION f() RETURNS int AS $$ SELECT 3 $$ LANGUAGE sql",
    ),
    _destructive(
        "drop_table",
        "DO $$ BEGIN EXECUTE 'DROP TABLE invoices'; END $$",
        "DO $$ BEGIN RAISE NOTICE 'nothing to drop'; END $$",
    ),
    _destructive(
        "drop_table", "DROP TABLE [shop].[lines]", "SELECT [drop], [table] FROM [shop].[lines]"
    ),
    _destructive(
        "drop_table",
        "DECLARE @q nvarchar(90) = N'DROP TABLE ' + N'shop.lines'; EXEC(@q);",
        "DECLARE @q nvarchar(90) = N'no table to drop'; PRINT @q;",
    ),
    _destructive(
        "truncate",
        "BEGIN EXECUTE IMMEDIATE 'TRUNCATE TABLE ' || 'lines'; END;",
        "BEGIN EXECUTE IMMEDIATE 'ANALYZE ' || 'lines'; END;",
    ),
    _destructive(
        "delete_all", "DELETE TOP (100) PERCENT FROM shop.lines", "DELETE TOP (9) FROM shop.lines"
    ),
    _destructive(
        "delete_all",
        "MERGE INTO lines l USING (SELECT 4) s ON 4 = 4 WHEN MATCHED THEN DELETE",
        "MERGE INTO lines l USING gone g ON g.id = l.id WHEN MATCHED THEN DELETE",
    ),
    _destructive(
        "delete_all",
        "DELETE FROM lines l USING orders o",
        "DELETE FROM lines l USING orders o WHERE o.id = l.order_id",
    ),
    _destructive(
        "grant_superuser",
        "ALTER SERVER ROLE sysadmin ADD MEMBER kim",
        "ALTER SERVER ROLE readers ADD MEMBER kim",
    ),
    _destructive(
        "untrusted_language",
        "CREATE FUNCTION run_it RETURNS STRING SONAME 'lib_mine.so'",
        "CREATE FUNCTION twice(a int) RETURNS int RETURN 2 * a",
    ),
    _destructive(
        "server_file",
        "ATTACH DATABASE '/etc/cron.d/lines' AS c",
        "ATTACH DATABASE 'archive.db' AS archive",
    ),
    _destructive("drop_owned", "DROP OWNED BY kim CASCADE", "SELECT owned FROM houses"),
    _destructive(
        "drop_partition",
        "ALTER TABLE lines DROP PARTITION p4",
        "ALTER TABLE lines ADD PARTITION (PARTITION p4 VALUES LESS THAN (9))",
    ),
    _destructive("reassign_owned", "REASSIGN OWNED BY kim TO ann", "SELECT reassign FROM tasks"),
    _destructive("purge_logs", "PURGE BINARY LOGS TO 'log.4'", "SHOW BINARY LOGS"),
    _destructive("reset_master", "RESET MASTER", "RESET statement_timeout"),
    _destructive("flush", "FLUSHALL ASYNC", "FLUSH TABLES"),
    _destructive("mongo_shutdown", "db.shutdownServer()", "db.serverStatus()", "auto"),
    _destructive("mongo_drop_user", "db.dropAllUsers()", "db.getUsers()", "auto"),
    # MongoDB.
    _destructive("mongo_drop", "db.invoices.drop()", "db.invoices.find({drop: 3})", "auto"),
    _destructive("mongo_drop_database", "db.dropDatabase()", "db.getName()", "auto"),
    _destructive(
        "mongo_delete_all",
        "db.invoices.deleteMany({})",
        "db.invoices.deleteMany({_id: 3})",
        "auto",
    ),
    _destructive(
        "mongo_update_all",
        "db.invoices.updateMany({}, {$set: {paid: true}})",
        "db.invoices.updateMany({_id: 3}, {$set: {paid: true}})",
        "auto",
    ),
    _destructive(
        "mongo_code",
        'db.invoices.find({"$where": "sleep(9)"})',
        'db.invoices.find({"where": "here"})',
        "auto",
    ),
)

# Prose, source code and everyday statements in which nothing may be found, whatever the language.
HARMLESS = (
    "O'Neil, D'Arcy, L'Oréal and Mo's 4 or 5 sisters' cars",
    '{"state": "shutdown immediate", "next": "commit"}',
    "Drop table support for the legacy driver and update the docs.",
    "Please select the best option from the list, or ask 1 of us.",
    "She said 'yes' or 'no' -- and left; nobody knows; select wisely.",
    "def where(a, b):\n    return a or b  # 1=1 is fine\n",
    "if (a === '1' || b === '1') { return \"x\"; } // done",
    "const q = `select * from users where id = ${id}`;",
    "SELECT count(*) FROM orders o JOIN lines l ON l.order_id = o.id WHERE o.day > '2024-01-01';",
    "INSERT INTO notes (body) VALUES ('DROP TABLE users; -- just a quote')",
    "SELECT * FROM logs WHERE message LIKE '%union select%' ORDER BY id LIMIT 10",
    "CREATE TABLE IF NOT EXISTS t (id int PRIMARY KEY, parent int REFERENCES t ON DELETE CASCADE)",
    "BEGIN; UPDATE a SET b = 1 WHERE id = 2; COMMIT;",
    "2024-05-01 12:00:03 ERROR could not connect; retrying in 5 s (attempt 3 of 5)",
    "https://shop.example/search?q=salt+and+pepper&page=2&sort=price",
    "user@example.com",
    "50% off; buy 2 and get 1",
    "Combine '--all' with '--local', or use '*' for every name.",
    "'||' joins strings, and \"<<\" shifts them.",
    "ain't -- isn't; won't # will not",
    "How does UNION SELECT work in SQL?",
    "union select committee of 4 members",
    "sleep (8 hours) and time.sleep(3)",
    "'a' < 'b' and \"c\" > \"b\"",
    '"Don\'t" -- my mother',
    "fix: don't drop tables twice; select all -- closes #31",
    '<td bgcolor="#d8e0ff">41#</td>',
    "price > 100 and price < 200 or stock = 0",
    "6'2\" -- 5'11\"",
    "Kq'<zRbmTw8, nD\"%vf and Lp'|Xw3",
    "b<Q9=rc>o'*",
    "open('notes') or die('no notes');",
    "sleep(7) hours; dream of 'boats'",
    "\"Harbour\" brand 'union' suit; sizes 38 or 40",
    "print('join' + \"order\")  # it's done",
    "name='select'&sort='like'&page=3--5",
    "const label = `from ${port}`; let mode = 'between';",
    "2+2=4 and 3+3=6",
    'return path === "/" || path === "=";',
    "SELECT a FROM t WHERE b LIKE '%' || CHR(9) || '%' OR c LIKE '%' || CHR(10) || '%'",
    "SELECT a FROM t WHERE b = 'x' -- we don't need more",
    "SELECT a FROM t WHERE b = ? AND 1 = 1 AND c = ?",
    "SELECT a FROM t WHERE b = 4 AND (c = 5 OR 0 = 1)",
    "SELECT a FROM t WHERE b IN (NULL) AND (1 != 1)",
    "status:open OR status:closed AND author:kim",
)
