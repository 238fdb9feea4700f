-- A hub's store as layout 1 was first made: values alone.
CREATE TABLE entries (
  revision INTEGER PRIMARY KEY AUTOINCREMENT, bucket TEXT NOT NULL, key TEXT NOT NULL,
  value TEXT NOT NULL, written INTEGER NOT NULL, UNIQUE (bucket, key));
INSERT INTO entries (bucket, key, value, written) VALUES ('hub', 'id', '"k2jq7mzcn3ra4"', 1767225600000);
INSERT INTO entries (bucket, key, value, written) VALUES ('tokens', 'abcdefgh', '{"id":"abcdefgh","name":"laptop","scope":"daemon","workspace":"default","hash":"cf2ec32cbfc8bdca5f0a77c5b60d4f6b19f2e6b8b4d2a8bd6ad9bbb5a7d9f2c1","createdAt":1767225600000,"expiresAt":null,"revokedAt":null}', 1767225600000);
INSERT INTO entries (bucket, key, value, written) VALUES ('names', 'demo', '{"id":"demo","workspace":"default","daemon":"daemon-1","name":"web","subdomain":true,"declaredAt":1767225600000,"declared":true,"expiresAt":null,"ended":null,"revokedAt":null,"revokePending":false}', 1767225600000);
PRAGMA user_version = 1;
