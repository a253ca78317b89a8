BEGIN TRANSACTION;
CREATE TABLE accounts (
	name TEXT NOT NULL, 
	password TEXT, 
	admin BOOLEAN NOT NULL, 
	disabled BOOLEAN NOT NULL, 
	email TEXT, 
	created_at DOUBLE NOT NULL, 
	CONSTRAINT pk_accounts PRIMARY KEY (name)
);
INSERT INTO "accounts" VALUES('Ana','$argon2id$v=19$m=65536,t=3,p=4$c2FsdHNhbHQ$aGFzaA',1,0,'ana@example.org',1700000000.25);
INSERT INTO "accounts" VALUES('Bo',NULL,0,1,NULL,1700000001.0);
CREATE TABLE achievements (
	"key" TEXT NOT NULL, 
	client_id TEXT NOT NULL, 
	title TEXT NOT NULL, 
	description TEXT, 
	points INTEGER NOT NULL, 
	display BOOLEAN NOT NULL, 
	partial_progress BOOLEAN NOT NULL, 
	total_progress INTEGER, 
	CONSTRAINT pk_achievements PRIMARY KEY ("key"), 
	CONSTRAINT fk_achievements_client_id FOREIGN KEY(client_id) REFERENCES games (client_id) ON DELETE CASCADE
);
INSERT INTO "achievements" VALUES('00000000-0000-4000-8000-0000000000f0','00000000-0000-4000-8000-00000000000a','Slayer','Slew it',100,0,1,2147483647);
CREATE TABLE audit (
	"key" TEXT NOT NULL, 
	at DOUBLE NOT NULL, 
	actor TEXT NOT NULL, 
	operation TEXT NOT NULL, 
	subject TEXT NOT NULL, 
	arguments TEXT NOT NULL, 
	CONSTRAINT pk_audit PRIMARY KEY ("key")
);
INSERT INTO "audit" VALUES('00000000-0000-4000-8000-000000000101',1700000001.0,'unix:ana','mute/add','MyMUD','{}');
INSERT INTO "audit" VALUES('00000000-0000-4000-8000-000000000102',1700000002.0,'unix:ana','mute/add','MyMUD','{}');
INSERT INTO "audit" VALUES('00000000-0000-4000-8000-000000000103',1700000003.0,'unix:ana','mute/add','MyMUD','{}');
INSERT INTO "audit" VALUES('00000000-0000-4000-8000-000000000104',1700000004.0,'unix:ana','mute/add','MyMUD','{}');
INSERT INTO "audit" VALUES('00000000-0000-4000-8000-000000000105',1700000005.0,'unix:ana','mute/add','MyMUD','{}');
INSERT INTO "audit" VALUES('00000000-0000-4000-8000-000000000106',1700000006.0,'unix:ana','mute/add','MyMUD','{}');
INSERT INTO "audit" VALUES('00000000-0000-4000-8000-000000000107',1700000007.0,'unix:ana','mute/add','MyMUD','{}');
CREATE TABLE channels (
	name TEXT NOT NULL, 
	hidden BOOLEAN NOT NULL, 
	paused_until DOUBLE, 
	description TEXT, speakers TEXT, kept BOOLEAN DEFAULT 0 NOT NULL, unused_since DOUBLE, described_by TEXT, described_at DOUBLE, moderators TEXT, 
	CONSTRAINT pk_channels PRIMARY KEY (name)
);
INSERT INTO "channels" VALUES('gossip',0,NULL,NULL,NULL,1,NULL,NULL,NULL,NULL);
INSERT INTO "channels" VALUES('testing',0,NULL,'For tests','["00000000-0000-4000-8000-00000000000a"]',1,NULL,'unix:ana',1700000003.5,'["Ana"]');
CREATE TABLE engine (
	started_at TEXT NOT NULL
);
CREATE TABLE filters (
	text TEXT NOT NULL, 
	channel TEXT NOT NULL, 
	substring BOOLEAN NOT NULL, 
	action TEXT NOT NULL, 
	reason TEXT NOT NULL, 
	set_by TEXT NOT NULL, 
	set_at DOUBLE NOT NULL, 
	CONSTRAINT pk_filters PRIMARY KEY (text, channel)
);
INSERT INTO "filters" VALUES('darn','',0,'refuse','language','ana',1700000000.0);
CREATE TABLE games (
	client_id TEXT NOT NULL, 
	short_name TEXT NOT NULL, 
	name TEXT NOT NULL, 
	hidden BOOLEAN NOT NULL, 
	hides_players BOOLEAN NOT NULL, 
	disabled BOOLEAN NOT NULL, 
	tagline TEXT, 
	description TEXT, 
	homepage_url TEXT, 
	connections TEXT NOT NULL, 
	created_at DOUBLE NOT NULL, 
	seen_user_agent TEXT, 
	seen_version TEXT, owner TEXT, online TEXT, last_seen_at DOUBLE, language TEXT, 
	CONSTRAINT pk_games PRIMARY KEY (client_id)
);
INSERT INTO "games" VALUES('00000000-0000-4000-8000-00000000000a','MyMUD','My MUD ☺',1,1,1,'“Quoted”','Two
lines','https://example.org/','[{"type":"web","url":"https://example.org/play"},{"type":"telnet","host":"example.org","port":4000},{"type":"secure telnet","host":"example.org","port":4001}]',1700000000.125,'MyMUD 1.0','2.3.0',NULL,NULL,NULL,NULL);
INSERT INTO "games" VALUES('00000000-0000-4000-8000-00000000000b','Other','Other MUD',0,0,0,NULL,NULL,NULL,'[]',0.0,NULL,NULL,'Ana',NULL,1700000004.25,NULL);
CREATE TABLE gossip_revision (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT gossip_revision_pkc PRIMARY KEY (version_num)
);
INSERT INTO "gossip_revision" VALUES('0016');
CREATE TABLE i3_identities (
	client_id TEXT NOT NULL, 
	name TEXT NOT NULL, 
	digest BLOB, 
	address TEXT, 
	open_until DOUBLE, 
	record TEXT NOT NULL, 
	CONSTRAINT pk_i3_identities PRIMARY KEY (client_id), 
	CONSTRAINT fk_i3_identities_client_id FOREIGN KEY(client_id) REFERENCES games (client_id) ON DELETE CASCADE
);
INSERT INTO "i3_identities" VALUES('00000000-0000-4000-8000-00000000000a','My Mud',X'0000000000000000000000000000000000000000000000000000000000000000','192.0.2.1',1700000009.5,'{}');
CREATE TABLE i3_links (
	mud TEXT NOT NULL, 
	router TEXT NOT NULL, 
	password BIGINT NOT NULL, 
	accepted_at DOUBLE, 
	CONSTRAINT pk_i3_links PRIMARY KEY (mud)
);
INSERT INTO "i3_links" VALUES('Gossip','*test',661222234,1700000009.5);
CREATE TABLE indexed_blocks (
	block BIGINT NOT NULL, 
	first_at DOUBLE NOT NULL, 
	last_at DOUBLE NOT NULL, 
	words BIGINT NOT NULL, 
	CONSTRAINT pk_indexed_blocks PRIMARY KEY (block)
);
INSERT INTO "indexed_blocks" VALUES(0,1700000000.5,1700000000.5,0);
CREATE TABLE indexed_words (
	id INTEGER NOT NULL, 
	words BLOB NOT NULL, 
	CONSTRAINT pk_indexed_words PRIMARY KEY (id)
);
INSERT INTO "indexed_words" VALUES(0,X'80FF');
CREATE TABLE messages (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	channel TEXT NOT NULL, 
	seq BIGINT NOT NULL, 
	client_id TEXT, 
	game TEXT NOT NULL, 
	name TEXT NOT NULL, 
	message TEXT NOT NULL, 
	said_at DOUBLE NOT NULL, removed_at DOUBLE, removed_by TEXT, removed_reason TEXT, 
	CONSTRAINT uq_messages_channel_seq UNIQUE (channel, seq)
);
INSERT INTO "messages" VALUES(2,'gossip',1,'00000000-0000-4000-8000-00000000000a','MyMUD','Ana','Hello!',1700000000.5,NULL,NULL,NULL);
CREATE TABLE node_sessions (
	node TEXT NOT NULL, 
	number BIGINT NOT NULL, 
	client_id TEXT NOT NULL, 
	session TEXT NOT NULL, 
	CONSTRAINT pk_node_sessions PRIMARY KEY (node, number)
);
CREATE TABLE nodes (
	name TEXT NOT NULL, 
	epoch TEXT NOT NULL, 
	beats BIGINT NOT NULL, 
	mark TEXT NOT NULL, 
	version TEXT NOT NULL, 
	protocol INTEGER NOT NULL, 
	address TEXT NOT NULL, 
	settings TEXT NOT NULL, 
	draining BOOLEAN NOT NULL, 
	started_at DOUBLE NOT NULL, ahead DOUBLE DEFAULT '0' NOT NULL, behind DOUBLE DEFAULT '0' NOT NULL, 
	CONSTRAINT pk_nodes PRIMARY KEY (name)
);
CREATE TABLE player_counts (
	counted_at DOUBLE NOT NULL, 
	client_id TEXT NOT NULL, 
	count INTEGER NOT NULL, 
	CONSTRAINT pk_player_counts PRIMARY KEY (counted_at, client_id)
);
INSERT INTO "player_counts" VALUES(900.0,'00000000-0000-4000-8000-00000000000a',3);
CREATE TABLE positions (
	scope TEXT NOT NULL, 
	number BIGINT NOT NULL, 
	CONSTRAINT pk_positions PRIMARY KEY (scope)
);
CREATE TABLE reports (
	number INTEGER NOT NULL, 
	channel TEXT NOT NULL, 
	seq BIGINT NOT NULL, 
	game TEXT NOT NULL, 
	name TEXT NOT NULL, 
	message TEXT NOT NULL, 
	reason TEXT NOT NULL, 
	made_by TEXT NOT NULL, 
	made_at DOUBLE NOT NULL, 
	resolved_by TEXT, 
	resolved_at DOUBLE, 
	resolution TEXT, 
	CONSTRAINT pk_reports PRIMARY KEY (number)
);
INSERT INTO "reports" VALUES(1,'gossip',1,'MyMUD','Ana','Hello!','rude','bo',1700000001.0,NULL,NULL,NULL);
INSERT INTO "reports" VALUES(2,'gossip',1,'MyMUD','Ana','Hello!','rude','bo',1700000002.0,'ana',1700000003.0,'it is not');
CREATE TABLE restrictions (
	kind TEXT NOT NULL, 
	subject TEXT NOT NULL, 
	channel TEXT NOT NULL, 
	until DOUBLE, 
	reason TEXT NOT NULL, 
	set_by TEXT NOT NULL, 
	set_at DOUBLE NOT NULL, 
	CONSTRAINT pk_restrictions PRIMARY KEY (kind, subject, channel)
);
INSERT INTO "restrictions" VALUES('mute','00000000-0000-4000-8000-00000000000a','gossip',1700003600.5,'shouting','unix:ana',1700000000.0);
INSERT INTO "restrictions" VALUES('ban','192.0.2.1','',NULL,'spam','ana',1700000000.0);
CREATE TABLE secrets (
	client_id TEXT NOT NULL, 
	position INTEGER NOT NULL, 
	digest BLOB NOT NULL, 
	expires DOUBLE, use TEXT DEFAULT '' NOT NULL, clear TEXT, 
	CONSTRAINT pk_secrets PRIMARY KEY (client_id, position), 
	CONSTRAINT fk_secrets_client_id FOREIGN KEY(client_id) REFERENCES games (client_id) ON DELETE CASCADE
);
INSERT INTO "secrets" VALUES('00000000-0000-4000-8000-00000000000a',0,X'000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F',NULL,'',NULL);
INSERT INTO "secrets" VALUES('00000000-0000-4000-8000-00000000000a',1,X'0000000000000000000000000000000000000000000000000000000000000000',1234.5,'',NULL);
INSERT INTO "secrets" VALUES('00000000-0000-4000-8000-00000000000a',2,X'57BB17F3F5F52EE8B9737BE34AE152FD977096AD23F2390BB80BA3084D7FA6E2',NULL,'imc2','clientpw1');
CREATE TABLE sequences (
	channel TEXT NOT NULL, 
	highest BIGINT NOT NULL, 
	CONSTRAINT pk_sequences PRIMARY KEY (channel)
);
INSERT INTO "sequences" VALUES('gossip',0);
CREATE TABLE tastes (
	account TEXT NOT NULL, 
	ignored TEXT NOT NULL, 
	undisturbed BOOLEAN NOT NULL, 
	CONSTRAINT pk_tastes PRIMARY KEY (account)
);
INSERT INTO "tastes" VALUES('Ana','["Other","Bo@Other"]',1);
CREATE TABLE tickets (
	digest BLOB NOT NULL, 
	kind TEXT NOT NULL, 
	account TEXT NOT NULL, 
	scope TEXT NOT NULL, 
	label TEXT NOT NULL, 
	made_by TEXT NOT NULL, 
	made_at DOUBLE NOT NULL, 
	expires DOUBLE, 
	CONSTRAINT pk_tickets PRIMARY KEY (digest)
);
INSERT INTO "tickets" VALUES(X'6B85EF3DFF7BB6FEA77CD2B8662CB19B7A6895139E8E86E307E1875E456DAB7E','visit','Ana','','192.0.2.1','',1700000002.0,1702592000.0);
INSERT INTO "tickets" VALUES(X'5485CB5D03981CC3BD989290A6BE33CA392C013279A5C3C3FD10A1CAE57E1460','token','Ana','read','my script','Ana',1700000002.0,NULL);
INSERT INTO "tickets" VALUES(X'DED6C02A4BC1FB712F3B71EFCB883AD5B31F4CEF6A327B079573143EC9C71FB3','invite','','','','unix:ana',1700000002.0,1700604800.0);
CREATE TABLE user_agents (
	name TEXT NOT NULL, 
	url TEXT, 
	repo_url TEXT, 
	CONSTRAINT pk_user_agents PRIMARY KEY (name)
);
INSERT INTO "user_agents" VALUES('MyMUD 1.0',NULL,NULL);
CREATE UNIQUE INDEX ix_games_short_name ON games (lower(short_name));
CREATE UNIQUE INDEX ix_games_name ON games (lower(name));
CREATE INDEX ix_messages_said_at ON messages (said_at);
CREATE INDEX ix_achievements_client_id ON achievements (client_id);
CREATE INDEX ix_player_counts_client_id_counted_at ON player_counts (client_id, counted_at);
CREATE INDEX ix_reports_resolved_at ON reports (resolved_at);
CREATE INDEX ix_audit_at ON audit (at);
CREATE UNIQUE INDEX ix_accounts_name ON accounts (lower(name));
CREATE INDEX ix_tickets_account ON tickets (account);
CREATE INDEX ix_messages_removed_at ON messages (removed_at) WHERE removed_at IS NOT NULL;
CREATE INDEX ix_node_sessions_client_id ON node_sessions (client_id);
CREATE UNIQUE INDEX ix_i3_identities_name ON i3_identities (lower(name));
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('messages',2);
COMMIT;
