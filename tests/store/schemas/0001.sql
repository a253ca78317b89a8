BEGIN TRANSACTION;
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
CREATE TABLE channels (
	name TEXT NOT NULL, 
	hidden BOOLEAN NOT NULL, 
	paused_until DOUBLE, 
	description TEXT, 
	CONSTRAINT pk_channels PRIMARY KEY (name)
);
INSERT INTO "channels" VALUES('gossip',0,NULL,NULL);
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
	seen_version TEXT, 
	CONSTRAINT pk_games PRIMARY KEY (client_id)
);
INSERT INTO "games" VALUES('00000000-0000-4000-8000-00000000000a','MyMUD','My MUD ☺',1,1,1,'“Quoted”','Two
lines','https://example.org/','[{"type":"web","url":"https://example.org/play"},{"type":"telnet","host":"example.org","port":4000},{"type":"secure telnet","host":"example.org","port":4001}]',1700000000.125,'MyMUD 1.0','2.3.0');
INSERT INTO "games" VALUES('00000000-0000-4000-8000-00000000000b','Other','Other MUD',0,0,0,NULL,NULL,NULL,'[]',0.0,NULL,NULL);
CREATE TABLE gossip_revision (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT gossip_revision_pkc PRIMARY KEY (version_num)
);
INSERT INTO "gossip_revision" VALUES('0001');
CREATE TABLE messages (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	channel TEXT NOT NULL, 
	seq BIGINT NOT NULL, 
	client_id TEXT, 
	game TEXT NOT NULL, 
	name TEXT NOT NULL, 
	message TEXT NOT NULL, 
	said_at DOUBLE NOT NULL, 
	CONSTRAINT uq_messages_channel_seq UNIQUE (channel, seq)
);
INSERT INTO "messages" VALUES(2,'gossip',1,'00000000-0000-4000-8000-00000000000a','MyMUD','Ana','Hello!',1700000000.5);
CREATE TABLE player_counts (
	counted_at DOUBLE NOT NULL, 
	client_id TEXT NOT NULL, 
	count INTEGER NOT NULL, 
	CONSTRAINT pk_player_counts PRIMARY KEY (counted_at, client_id)
);
INSERT INTO "player_counts" VALUES(900.0,'00000000-0000-4000-8000-00000000000a',3);
CREATE TABLE secrets (
	client_id TEXT NOT NULL, 
	position INTEGER NOT NULL, 
	digest BLOB NOT NULL, 
	expires DOUBLE, 
	CONSTRAINT pk_secrets PRIMARY KEY (client_id, position), 
	CONSTRAINT fk_secrets_client_id FOREIGN KEY(client_id) REFERENCES games (client_id) ON DELETE CASCADE
);
INSERT INTO "secrets" VALUES('00000000-0000-4000-8000-00000000000a',0,X'000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F',NULL);
INSERT INTO "secrets" VALUES('00000000-0000-4000-8000-00000000000a',1,X'0000000000000000000000000000000000000000000000000000000000000000',1234.5);
CREATE TABLE sequences (
	channel TEXT NOT NULL, 
	highest BIGINT NOT NULL, 
	CONSTRAINT pk_sequences PRIMARY KEY (channel)
);
INSERT INTO "sequences" VALUES('gossip',0);
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
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('messages',2);
COMMIT;
