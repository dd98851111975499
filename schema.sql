-- The gateway's database. The same text runs on SQLite and PostgreSQL.
--
-- Ids are UUIDv7, made by the application: their order is the order of arrival. Times are UTC. Phone numbers
-- are E.164 digits without the plus. What must always hold stands here as constraints, not in the code.

-- A citizen's message (MO), as the carrier handed it over.
CREATE TABLE inbound (
  id                 TEXT NOT NULL PRIMARY KEY,
  channel            TEXT NOT NULL,
  carrier_message_id TEXT NOT NULL,
  sender             TEXT NOT NULL,
  recipient          TEXT NOT NULL,
  text               TEXT NOT NULL,
  sent_at            TIMESTAMP,             -- by the carrier's clock
  received_at        TIMESTAMP NOT NULL,    -- by ours
  state              TEXT NOT NULL,         -- waiting: the one-stop database could not be asked yet
  kind               TEXT,                  -- what the answer was: status, not_found, ambiguous, help ...
  codes              TEXT,                  -- the dossiers it was about, separated by blanks
  options            TEXT,                  -- the dossiers a question offered, in the order of their numbers
  misses             SMALLINT NOT NULL DEFAULT 0, -- unknown codes that it asked for
  CONSTRAINT uq_inbound_carrier_message UNIQUE (channel, carrier_message_id),
  CONSTRAINT ck_inbound_state CHECK (state IN ('answered', 'waiting', 'ignored'))
);
CREATE INDEX ix_inbound_sender ON inbound (sender, received_at);
CREATE INDEX ix_inbound_received ON inbound (received_at);
CREATE INDEX ix_inbound_codes ON inbound (codes) WHERE codes IS NOT NULL;
CREATE INDEX ix_inbound_several ON inbound (received_at) WHERE replace(codes, ' ', '') <> codes;
CREATE INDEX ix_inbound_waiting ON inbound (received_at) WHERE state = 'waiting';

-- A message to a citizen (MT). The row is the job: there is no other queue.
CREATE TABLE outbound (
  id                 TEXT NOT NULL PRIMARY KEY,  -- the carrier gets it as ref, and gets the same one at every try
  channel            TEXT NOT NULL,
  lane               SMALLINT NOT NULL,          -- 0 reply, 1 reminder, 2 notice: a lower one goes first
  in_reply_to        TEXT,
  sender             TEXT NOT NULL,
  recipient          TEXT NOT NULL,
  text               TEXT NOT NULL,
  encoding           TEXT NOT NULL,
  segments           SMALLINT NOT NULL,
  state              TEXT NOT NULL,
  created_at         TIMESTAMP NOT NULL,
  not_before         TIMESTAMP NOT NULL,
  expires_at         TIMESTAMP NOT NULL,         -- after it nobody needs the message any more
  deadline           TIMESTAMP NOT NULL,         -- when the sweep ends this state; of a final one: when it is history
  attempts           SMALLINT NOT NULL DEFAULT 0,
  doubts             SMALLINT NOT NULL DEFAULT 0, -- tries after which the carrier may have had it
  lease              TEXT,                       -- who is sending it now
  tried_at           TIMESTAMP,                  -- since when the carrier may have had it
  carrier_message_id TEXT,
  submitted_at       TIMESTAMP,
  finished_at        TIMESTAMP,
  error_code         TEXT,
  CONSTRAINT fk_outbound_in_reply_to FOREIGN KEY (in_reply_to) REFERENCES inbound (id),
  CONSTRAINT ck_outbound_lane CHECK (lane IN (0, 1, 2)),
  CONSTRAINT ck_outbound_encoding CHECK (encoding IN ('gsm7', 'ucs2')),
  CONSTRAINT ck_outbound_state CHECK (state IN ('held', 'queued', 'sending', 'unknown', 'submitted',
    'delivered', 'undelivered', 'expired', 'rejected', 'cancelled')),
  CONSTRAINT ck_outbound_lease CHECK ((state = 'sending') = (lease IS NOT NULL)),
  CONSTRAINT ck_outbound_finished CHECK ((finished_at IS NOT NULL) =
    (state IN ('delivered', 'undelivered', 'expired', 'rejected', 'cancelled')))
);
CREATE UNIQUE INDEX uq_outbound_in_reply_to ON outbound (in_reply_to) WHERE in_reply_to IS NOT NULL;
CREATE INDEX ix_outbound_claim ON outbound (channel, lane, not_before, id) WHERE state = 'queued';
CREATE INDEX ix_outbound_deadline ON outbound (state, deadline);
CREATE INDEX ix_outbound_carrier_message ON outbound (channel, carrier_message_id)
  WHERE carrier_message_id IS NOT NULL;
CREATE INDEX ix_outbound_recipient ON outbound (recipient, created_at);

-- Where messages go that have been finished for some days, so that what is live stays small. The same columns, less
-- those that only a live message has; a late receipt still finds them.
CREATE TABLE outbound_history (
  id                 TEXT NOT NULL PRIMARY KEY,
  channel            TEXT NOT NULL,
  lane               SMALLINT NOT NULL,
  in_reply_to        TEXT,
  sender             TEXT NOT NULL,
  recipient          TEXT NOT NULL,
  text               TEXT NOT NULL,
  encoding           TEXT NOT NULL,
  segments           SMALLINT NOT NULL,
  state              TEXT NOT NULL,
  created_at         TIMESTAMP NOT NULL,
  attempts           SMALLINT NOT NULL,
  doubts             SMALLINT NOT NULL,
  carrier_message_id TEXT,
  submitted_at       TIMESTAMP,
  finished_at        TIMESTAMP NOT NULL,
  error_code         TEXT,
  CONSTRAINT uq_outbound_history_in_reply_to UNIQUE (in_reply_to),
  CONSTRAINT fk_outbound_history_in_reply_to FOREIGN KEY (in_reply_to) REFERENCES inbound (id),
  CONSTRAINT ck_outbound_history_state CHECK (state IN ('delivered', 'undelivered', 'expired', 'rejected', 'cancelled'))
);
CREATE INDEX ix_outbound_history_carrier_message ON outbound_history (channel, carrier_message_id)
  WHERE carrier_message_id IS NOT NULL;
CREATE INDEX ix_outbound_history_recipient ON outbound_history (recipient, created_at);

-- A try at sending that did not end with the carrier's acceptance; the accepted one stands in the message itself.
-- Its message is in outbound or in its history, so no foreign key can say where.
CREATE TABLE attempt (
  outbound_id TEXT NOT NULL,
  number      SMALLINT NOT NULL,
  at          TIMESTAMP NOT NULL,
  channel     TEXT NOT NULL,
  outcome     TEXT NOT NULL,
  code        TEXT,
  detail      TEXT,
  CONSTRAINT pk_attempt PRIMARY KEY (outbound_id, number, outcome)
);

-- A delivery report (DLR). Without outbound_id it is parked: its message is being sent just now, or isn't known yet.
CREATE TABLE receipt (
  channel     TEXT NOT NULL,
  subject     TEXT NOT NULL,    -- ref:<our id> or id:<the carrier's id>
  status      TEXT NOT NULL,
  error_code  TEXT,
  reported_at TIMESTAMP,        -- by the carrier's clock
  received_at TIMESTAMP NOT NULL,
  outbound_id TEXT,             -- in outbound or in its history
  CONSTRAINT pk_receipt PRIMARY KEY (channel, subject, status),
  CONSTRAINT ck_receipt_status CHECK (status IN ('buffered', 'delivered', 'undelivered', 'expired', 'rejected'))
);
CREATE INDEX ix_receipt_parked ON receipt (received_at) WHERE outbound_id IS NULL;
CREATE INDEX ix_receipt_outbound ON receipt (outbound_id) WHERE outbound_id IS NOT NULL;

-- A part of a message that its carrier has a name for; the message itself then has none. Receipts are about parts.
CREATE TABLE outbound_part (
  channel            TEXT NOT NULL,
  carrier_message_id TEXT NOT NULL,
  outbound_id        TEXT NOT NULL,   -- in outbound; goes when that becomes history
  CONSTRAINT pk_outbound_part PRIMARY KEY (channel, carrier_message_id)
);
CREATE INDEX ix_outbound_part_outbound ON outbound_part (outbound_id);

-- A part of a citizen's long text whose other parts have not come yet.
CREATE TABLE inbound_part (
  channel            TEXT NOT NULL,
  sender             TEXT NOT NULL,
  recipient          TEXT NOT NULL,
  reference          TEXT NOT NULL,       -- that the parts of a text have in common, as the carrier has it
  count              SMALLINT NOT NULL,
  number             SMALLINT NOT NULL,   -- from 1
  carrier_message_id TEXT NOT NULL,
  text               TEXT NOT NULL,       -- as JSON: it may begin or end with half of a surrogate pair
  received_at        TIMESTAMP NOT NULL,
  CONSTRAINT pk_inbound_part PRIMARY KEY (channel, sender, recipient, reference, count, number)
);
CREATE INDEX ix_inbound_part_received ON inbound_part (received_at);

-- A message, or a part, that came by a line whose carrier has no ids: until that has surely read our acknowledgement,
-- it may bring the same again by another line. Or a part of a carrier that has ids, which calls again for a day.
CREATE TABLE unproved (
  carrier_message_id TEXT NOT NULL PRIMARY KEY,  -- ours, in inbound or inbound_part; or the channel, and the carrier's
  channel            TEXT NOT NULL,
  session            TEXT NOT NULL,              -- the line that it came by, if it did
  digest             TEXT NOT NULL,              -- of all that it says, or of the carrier's id
  received_at        TIMESTAMP NOT NULL
);
CREATE INDEX ix_unproved_digest ON unproved (channel, digest);

-- How a person wants to be written to.
CREATE TABLE preference (
  phone      TEXT NOT NULL PRIMARY KEY,
  language   TEXT NOT NULL,
  accents    BOOLEAN NOT NULL,
  updated_at TIMESTAMP NOT NULL,
  CONSTRAINT ck_preference_language CHECK (language IN ('vi', 'en'))
);

-- Who wants no messages of a purpose. What a citizen asks for is answered all the same.
CREATE TABLE opt_out (
  phone   TEXT NOT NULL,
  purpose TEXT NOT NULL,
  since   TIMESTAMP NOT NULL,
  source  TEXT NOT NULL,    -- how it was said: sms, zalo, or console and the official's name
  CONSTRAINT pk_opt_out PRIMARY KEY (phone, purpose),
  CONSTRAINT ck_opt_out_purpose CHECK (purpose IN ('reminder', 'notice'))
);

-- Who follows a dossier. The phone on it follows by itself, unless a row says that it does not want to.
CREATE TABLE follower (
  phone  TEXT NOT NULL,
  code   TEXT NOT NULL,
  wanted BOOLEAN NOT NULL,
  since  TIMESTAMP NOT NULL,
  CONSTRAINT pk_follower PRIMARY KEY (phone, code)
);
CREATE INDEX ix_follower_code ON follower (code);

-- The phone on each dossier that is open or ended of late, as it was when it was read last.
CREATE TABLE owner (
  code       TEXT NOT NULL PRIMARY KEY,
  phone      TEXT NOT NULL,
  changed_at TIMESTAMP NOT NULL,    -- by the one-stop database's clock
  noted_at   TIMESTAMP NOT NULL
);
CREATE INDEX ix_owner_phone ON owner (phone, changed_at);

-- How somebody was served, from 1 to 5; once for each dossier and phone.
CREATE TABLE rating (
  code        TEXT NOT NULL,
  phone       TEXT NOT NULL,
  score       SMALLINT NOT NULL,
  agency_code TEXT NOT NULL,
  agency_name TEXT NOT NULL,
  rated_at    TIMESTAMP NOT NULL,
  CONSTRAINT pk_rating PRIMARY KEY (code, phone),
  CONSTRAINT ck_rating_score CHECK (score BETWEEN 1 AND 5)
);
CREATE INDEX ix_rating_rated ON rating (rated_at);

-- A complaint or question, for the officials of an agency; without one, for the province's.
CREATE TABLE voice (
  id          TEXT NOT NULL PRIMARY KEY,  -- of the message that it came by
  number      INTEGER NOT NULL,           -- by which the citizen follows it
  phone       TEXT NOT NULL,
  channel     TEXT NOT NULL,              -- that it came by
  text        TEXT NOT NULL,
  code        TEXT,                       -- the dossier that it is about
  agency_code TEXT,
  agency_name TEXT,
  state       TEXT NOT NULL,
  received_at TIMESTAMP NOT NULL,
  answer      TEXT,
  answered_by TEXT,                       -- the official
  answered_at TIMESTAMP,
  answer_id   TEXT,                       -- the answer's message, in outbound or in its history
  closed_by   TEXT,
  closed_at   TIMESTAMP,
  CONSTRAINT uq_voice_number UNIQUE (number),
  CONSTRAINT fk_voice_inbound FOREIGN KEY (id) REFERENCES inbound (id),
  CONSTRAINT ck_voice_state CHECK (state IN ('new', 'answered', 'closed')),
  CONSTRAINT ck_voice_answer CHECK ((answer IS NOT NULL) = (answered_at IS NOT NULL)),
  CONSTRAINT ck_voice_answered CHECK (state <> 'answered' OR answer IS NOT NULL),
  CONSTRAINT ck_voice_closed CHECK ((state = 'closed') = (closed_at IS NOT NULL))
);
CREATE INDEX ix_voice_inbox ON voice (state, id);

-- What all nodes together know of a channel: whether it may send, how its calls went lately, and how much of its rate
-- is free.
CREATE TABLE channel (
  name        TEXT NOT NULL PRIMARY KEY,
  state       TEXT NOT NULL,
  reason      TEXT,                       -- why it is in that state
  changed_at  TIMESTAMP NOT NULL,
  resume_at   TIMESTAMP,                  -- nothing is sent before: the carrier asked us to slow down, or a probe is due
  failures    SMALLINT NOT NULL,          -- calls that failed in a row
  trips       SMALLINT NOT NULL,          -- times in a row that it was closed
  calls       DOUBLE PRECISION NOT NULL,  -- lately, each counting less the longer ago it was
  failed      DOUBLE PRECISION NOT NULL,  -- of these
  counted_at  TIMESTAMP NOT NULL,
  allowance   DOUBLE PRECISION NOT NULL,  -- messages that may go out at once, as of allowed_at
  allowed_at  TIMESTAMP NOT NULL,
  CONSTRAINT ck_channel_state CHECK (state IN ('open', 'tripped', 'held', 'paused'))
);

-- How many messages a carrier that takes only so many a day still takes, as it last said.
CREATE TABLE quota (
  channel   TEXT NOT NULL PRIMARY KEY,
  remaining INTEGER NOT NULL,
  daily     INTEGER NOT NULL,
  asked_at  TIMESTAMP NOT NULL
);

-- When and why a channel changed its state.
CREATE TABLE channel_event (
  id      TEXT NOT NULL PRIMARY KEY,
  channel TEXT NOT NULL,
  at      TIMESTAMP NOT NULL,
  state   TEXT NOT NULL,
  reason  TEXT NOT NULL
);
CREATE INDEX ix_channel_event ON channel_event (channel, at);

-- Somebody who works at the console, or is named by a command's --as.
CREATE TABLE official (
  id           TEXT NOT NULL PRIMARY KEY,
  name         TEXT NOT NULL,           -- what one signs in with, in small letters
  role         TEXT NOT NULL,           -- each may do what those before it may
  agency       TEXT,                    -- whose citizens and notices they see; none: the whole province's
  phone        TEXT,                    -- their own, for test messages
  password     TEXT,                    -- argon2; none: signs in by OpenID Connect only
  totp_secret  TEXT,                    -- base32; none: no second factor
  totp_step    BIGINT NOT NULL,         -- the last one that a code was taken for: none is taken twice
  created_at   TIMESTAMP NOT NULL,
  disabled_at  TIMESTAMP,
  CONSTRAINT uq_official_name UNIQUE (name),
  CONSTRAINT ck_official_role CHECK (role IN ('viewer', 'sender', 'approver', 'admin'))
);

-- Somebody who is signed in. Without its row a cookie is worth nothing.
CREATE TABLE official_session (
  token_hash  TEXT NOT NULL PRIMARY KEY,  -- SHA-256 of what the cookie holds
  official_id TEXT NOT NULL,
  stage       TEXT NOT NULL,              -- password: the second factor is still to come
  created_at  TIMESTAMP NOT NULL,
  seen_at     TIMESTAMP NOT NULL,         -- to the minute
  address     TEXT NOT NULL,
  agent       TEXT NOT NULL,              -- the browser, as it calls itself
  CONSTRAINT fk_official_session FOREIGN KEY (official_id) REFERENCES official (id),
  CONSTRAINT ck_official_session_stage CHECK (stage IN ('password', 'full'))
);
CREATE INDEX ix_official_session_official ON official_session (official_id);
CREATE INDEX ix_official_session_seen ON official_session (seen_at);

-- Tries to sign in, by account and by address, so that each further one can be made to wait.
CREATE TABLE signin_failure (
  subject  TEXT NOT NULL PRIMARY KEY,   -- account:NAME or address:IP
  failures INTEGER NOT NULL,
  last_at  TIMESTAMP NOT NULL
);
CREATE INDEX ix_signin_failure_last ON signin_failure (last_at);

-- What officials did. Each entry carries the hash of the one before, so that none can be changed or taken out unnoticed.
CREATE TABLE audit (
  number   BIGINT NOT NULL PRIMARY KEY,  -- from 1, without a gap
  at       TIMESTAMP NOT NULL,
  who      TEXT NOT NULL,
  action   TEXT NOT NULL,
  subject  TEXT NOT NULL,
  detail   TEXT NOT NULL,                -- a JSON object
  previous TEXT NOT NULL,
  hash     TEXT NOT NULL,
  CONSTRAINT uq_audit_previous UNIQUE (previous)
);
CREATE INDEX ix_audit_who ON audit (who, number);

-- The last entry. Its row is locked by whoever appends; and entries cut off at the end are missed by it.
CREATE TABLE audit_head (
  id     SMALLINT NOT NULL PRIMARY KEY,
  number BIGINT NOT NULL,
  hash   TEXT NOT NULL,
  CONSTRAINT ck_audit_head_id CHECK (id = 1)
);

-- Other systems that use /api. Each has a key; what opens is its secret, of which only the hash is here.
CREATE TABLE api_key (
  id           TEXT NOT NULL PRIMARY KEY,
  name         TEXT NOT NULL,           -- of the system, in small letters; what it does is done by key:NAME
  role         TEXT NOT NULL,           -- viewer: reads; sender: sends as well. Only people approve
  agency       TEXT,                    -- whose messages and notices it sees and sends; none: the province's
  daily        INTEGER NOT NULL,        -- messages that it may send on a day, one by one
  secret_hash  TEXT NOT NULL,           -- SHA-256
  created_at   TIMESTAMP NOT NULL,
  created_by   TEXT NOT NULL,           -- an official's name, or cli:USER
  used_at      TIMESTAMP,               -- to the hour
  revoked_at   TIMESTAMP,
  CONSTRAINT uq_api_key_secret UNIQUE (secret_hash),
  CONSTRAINT ck_api_key_role CHECK (role IN ('viewer', 'sender'))
);
CREATE UNIQUE INDEX uq_api_key_name ON api_key (name) WHERE revoked_at IS NULL;

-- What a system asked for under an Idempotency-Key: for a day it is not done again.
CREATE TABLE api_request (
  key_id      TEXT NOT NULL,
  name        TEXT NOT NULL,            -- the Idempotency-Key
  fingerprint TEXT NOT NULL,            -- SHA-256 of what was asked
  at          TIMESTAMP NOT NULL,
  made        TEXT NOT NULL,            -- the id of the message or notice
  CONSTRAINT pk_api_request PRIMARY KEY (key_id, name),
  CONSTRAINT fk_api_request FOREIGN KEY (key_id) REFERENCES api_key (id)
);
CREATE INDEX ix_api_request_at ON api_request (at);

-- The messages that systems sent one by one.
CREATE TABLE api_message (
  message_id TEXT NOT NULL PRIMARY KEY,  -- in outbound, and later in outbound_history
  key_id     TEXT NOT NULL,
  at         TIMESTAMP NOT NULL,
  reference  TEXT,                       -- what the system calls it
  CONSTRAINT fk_api_message FOREIGN KEY (key_id) REFERENCES api_key (id)
);
CREATE INDEX ix_api_message_key ON api_message (key_id, at);
CREATE INDEX ix_api_message_at ON api_message (at, message_id);
CREATE INDEX ix_api_message_reference ON api_message (reference) WHERE reference IS NOT NULL;

-- The keys to a channel whose access token has to be renewed, and whose refresh token is good for one renewal. One row
-- for each refresh token that an operator ever set: a new one in the settings begins anew, and an old one stays old.
CREATE TABLE access_key (
  channel       TEXT NOT NULL,
  origin        TEXT NOT NULL,      -- SHA-256 of the refresh token in the settings
  access_token  TEXT,
  refresh_token TEXT NOT NULL,      -- what the next renewal trades in
  renewed_at    TIMESTAMP,
  expires_at    TIMESTAMP,          -- of the access token
  lease         TEXT,               -- who is renewing it now
  lease_until   TIMESTAMP,          -- nobody else tries before
  fault         TEXT,               -- why the last renewal failed
  CONSTRAINT pk_access_key PRIMARY KEY (channel, origin),
  CONSTRAINT ck_access_key_token CHECK ((access_token IS NULL) = (expires_at IS NULL)
    AND (access_token IS NULL) = (renewed_at IS NULL)),
  CONSTRAINT ck_access_key_lease CHECK (lease IS NULL OR lease_until IS NOT NULL)
);

-- People who write from Zalo. With a phone: they have typed back a code that was sent to it by SMS.
CREATE TABLE zalo_user (
  address   TEXT NOT NULL PRIMARY KEY,  -- zalo:<user id>, as in inbound.sender and outbound.recipient
  follows   BOOLEAN NOT NULL,
  seen_at   TIMESTAMP NOT NULL,         -- the last word from them; how long Zalo lets us write to them counts from it
  phone     TEXT,
  linked_at TIMESTAMP,
  CONSTRAINT ck_zalo_user_linked CHECK ((phone IS NULL) = (linked_at IS NULL))
);
CREATE UNIQUE INDEX uq_zalo_user_phone ON zalo_user (phone) WHERE phone IS NOT NULL;

-- Codes that were sent by SMS so that a Zalo user can show whose phone it is.
CREATE TABLE zalo_link (
  id         TEXT NOT NULL PRIMARY KEY,
  address    TEXT NOT NULL,
  phone      TEXT NOT NULL,
  code       TEXT NOT NULL,
  state      TEXT NOT NULL,             -- open: may be typed back; closed: by a newer one, or by too many wrong tries
  tries      SMALLINT NOT NULL,         -- wrong ones
  created_at TIMESTAMP NOT NULL,
  expires_at TIMESTAMP NOT NULL,
  CONSTRAINT ck_zalo_link_state CHECK (state IN ('open', 'used', 'closed')),
  CONSTRAINT ck_zalo_link_tries CHECK (tries BETWEEN 0 AND 5)
);
CREATE INDEX ix_zalo_link_address ON zalo_link (address, created_at);
CREATE INDEX ix_zalo_link_phone ON zalo_link (phone, created_at);
CREATE UNIQUE INDEX uq_zalo_link_open ON zalo_link (address) WHERE state = 'open';

-- One text to many citizens. Who approved it, approved what the fingerprint stands for: recipients, text and time.
CREATE TABLE notice (
  id                   TEXT NOT NULL PRIMARY KEY,
  name                 TEXT NOT NULL,
  agency               TEXT,                 -- whose it is; none: the province's
  text                 TEXT NOT NULL,        -- with its placeholders
  accents              BOOLEAN NOT NULL,     -- whether it goes out with its accents
  audience             TEXT NOT NULL,        -- the name of a file, or a filter, for people to read
  send_at              TIMESTAMP,            -- not before; none: as soon as it may
  state                TEXT NOT NULL,        -- loading: its recipients are still coming in
  author               TEXT NOT NULL,
  approver             TEXT,
  needs_approval       BOOLEAN NOT NULL,
  fingerprint          TEXT NOT NULL,        -- SHA-256 over recipients, text and time
  approved_fingerprint TEXT,
  created_at           TIMESTAMP NOT NULL,
  changed_at           TIMESTAMP NOT NULL,
  approved_at          TIMESTAMP,
  recipients           INTEGER NOT NULL,
  segments             BIGINT NOT NULL,
  cost                 BIGINT NOT NULL,      -- in đồng
  reckoning            TEXT NOT NULL,        -- JSON: who was left out, and its size with and without accents
  CONSTRAINT ck_notice_state CHECK (state IN ('loading', 'draft', 'submitted', 'approved', 'sending', 'paused', 'done',
    'cancelled')),
  CONSTRAINT ck_notice_approver CHECK (approver IS NULL OR approver <> author),
  CONSTRAINT ck_notice_approval CHECK (state NOT IN ('approved', 'sending', 'paused', 'done')
    OR (approved_fingerprint IS NOT NULL AND approved_fingerprint = fingerprint
      AND (approver IS NOT NULL OR NOT needs_approval)))
);
CREATE INDEX ix_notice_created ON notice (created_at, id);
CREATE INDEX ix_notice_under_way ON notice (state, send_at) WHERE state IN ('loading', 'approved', 'sending', 'paused');

-- A notice's recipients in parts of some hundred, by line, of which nodes take turns. What is approved is its text and
-- these; a sheet's digest tells whether its recipients are still those that it was made of.
CREATE TABLE notice_sheet (
  notice_id  TEXT NOT NULL,
  last_line  INTEGER NOT NULL,
  after_line INTEGER NOT NULL,    -- the last line of the sheet before it; of the first one, 0
  digest     TEXT NOT NULL,       -- SHA-256 over its recipients
  fed_to     INTEGER NOT NULL,    -- the line up to which each of them had their turn
  CONSTRAINT pk_notice_sheet PRIMARY KEY (notice_id, last_line),
  CONSTRAINT fk_notice_sheet FOREIGN KEY (notice_id) REFERENCES notice (id)
);

-- Whom a notice goes to: each phone once. When somebody has their turn and a message is made, nothing is written here, as
-- their sheet knows up to which line all had theirs. Only who is passed over, or gets no message, is marked.
CREATE TABLE notice_recipient (
  notice_id  TEXT NOT NULL,
  line       INTEGER NOT NULL,    -- of the file
  phone      TEXT NOT NULL,
  fields     TEXT NOT NULL,       -- JSON: what the placeholders stand for
  message_id TEXT NOT NULL,       -- of the message, once it is made: in outbound or in its history
  waits_for  TEXT,                -- the channel that was full at their turn, as long as they wait for another turn
  skipped    TEXT,                -- why no message was made
  CONSTRAINT pk_notice_recipient PRIMARY KEY (notice_id, line),
  CONSTRAINT uq_notice_recipient_phone UNIQUE (notice_id, phone),
  CONSTRAINT uq_notice_recipient_message UNIQUE (message_id),
  CONSTRAINT fk_notice_recipient FOREIGN KEY (notice_id) REFERENCES notice (id),
  CONSTRAINT ck_notice_recipient_skipped CHECK (skipped IS NULL OR waits_for IS NULL)
);
CREATE INDEX ix_notice_recipient_waits ON notice_recipient (notice_id, line) WHERE waits_for IS NOT NULL;

-- What is wrong with the cells of an audience.
CREATE TABLE notice_problem (
  notice_id TEXT NOT NULL,
  number    INTEGER NOT NULL,
  line      INTEGER NOT NULL,
  heading   TEXT NOT NULL,
  problem   TEXT NOT NULL,
  CONSTRAINT pk_notice_problem PRIMARY KEY (notice_id, number),
  CONSTRAINT fk_notice_problem FOREIGN KEY (notice_id) REFERENCES notice (id)
);

-- The rows of an audience that have no fault, and to which the notice does not go.
CREATE TABLE notice_left_out (
  notice_id TEXT NOT NULL,
  line      INTEGER NOT NULL,
  why       TEXT NOT NULL,
  number    TEXT NOT NULL,    -- as people write it
  dossier   TEXT NOT NULL,    -- its code; empty if the row is of a file
  CONSTRAINT pk_notice_left_out PRIMARY KEY (notice_id, line),
  CONSTRAINT fk_notice_left_out FOREIGN KEY (notice_id) REFERENCES notice (id),
  CONSTRAINT ck_notice_left_out_why CHECK (why IN ('duplicate', 'opted_out', 'unreachable'))
);

-- What was done with a notice, by whom, when, and why.
CREATE TABLE notice_event (
  id        TEXT NOT NULL PRIMARY KEY,
  notice_id TEXT NOT NULL,
  at        TIMESTAMP NOT NULL,
  who       TEXT NOT NULL,
  move      TEXT NOT NULL,
  state     TEXT NOT NULL,         -- after it
  reason    TEXT NOT NULL,
  CONSTRAINT fk_notice_event FOREIGN KEY (notice_id) REFERENCES notice (id)
);
CREATE INDEX ix_notice_event ON notice_event (notice_id, at);

-- The segments that approved notices of an agency take of a month's budget.
CREATE TABLE notice_budget (
  agency   TEXT NOT NULL,          -- empty: the province's own
  month    TEXT NOT NULL,          -- as 2026-11
  segments BIGINT NOT NULL,
  CONSTRAINT pk_notice_budget PRIMARY KEY (agency, month)
);

-- Whether a reminder's rule is on: in an agency, or (agency '') in all that have no row of their own.
CREATE TABLE reminder_switch (
  rule        TEXT NOT NULL,
  agency      TEXT NOT NULL,
  is_on       BOOLEAN NOT NULL,
  changed_at  TIMESTAMP NOT NULL,   -- what fell due before is never told
  changed_by  TEXT NOT NULL,
  stock_taken BOOLEAN NOT NULL,     -- whether it is written down what was so already when it was switched on
  CONSTRAINT pk_reminder_switch PRIMARY KEY (rule, agency)
);

-- When something that is done again and again is due next.
CREATE TABLE schedule (
  name     TEXT NOT NULL PRIMARY KEY,
  next_due TIMESTAMP NOT NULL
);

-- A firing of a schedule. Whoever holds the lease works on it; one that is not ended is taken over when that runs out.
CREATE TABLE schedule_run (
  id           TEXT NOT NULL PRIMARY KEY,
  schedule     TEXT NOT NULL,
  due_at       TIMESTAMP NOT NULL,
  started_at   TIMESTAMP NOT NULL,
  ended_at     TIMESTAMP,
  lease        TEXT NOT NULL,
  leased_until TIMESTAMP NOT NULL,
  tries        INTEGER NOT NULL,
  told         INTEGER NOT NULL,    -- messages queued
  withheld     INTEGER NOT NULL,    -- people who are not told, and the reminder says why
  problem      TEXT,                -- why it could not end yet, or did nothing
  CONSTRAINT uq_schedule_run UNIQUE (schedule, due_at)
);
CREATE UNIQUE INDEX uq_schedule_run_open ON schedule_run (schedule) WHERE ended_at IS NULL;
CREATE INDEX ix_schedule_run_started ON schedule_run (started_at);

-- What somebody was told of a dossier, or will not be told and why. Its key is why nobody is told twice.
CREATE TABLE reminder (
  rule      TEXT NOT NULL,
  dossier   TEXT NOT NULL,          -- its code; of officials' rules the agency's
  occasion  TEXT NOT NULL,          -- what sets it apart from the rule's other reminders of this dossier
  told_to   TEXT NOT NULL,          -- owner, or another's phone
  recipient TEXT,
  outcome   TEXT NOT NULL,
  message   TEXT,                   -- in outbound or in its history
  run       TEXT NOT NULL,
  at        TIMESTAMP NOT NULL,
  sent_on   TEXT,                   -- the day, as people there count it, on which it goes out
  slot      SMALLINT,               -- which one of that person's on that day it is
  CONSTRAINT pk_reminder PRIMARY KEY (rule, dossier, occasion, told_to),
  CONSTRAINT ck_reminder_outcome CHECK (outcome IN ('told', 'past', 'too_old', 'opted_out', 'unreachable')),
  CONSTRAINT ck_reminder_message CHECK ((message IS NOT NULL) = (outcome = 'told'))
);
CREATE UNIQUE INDEX uq_reminder_message ON reminder (message) WHERE message IS NOT NULL;
CREATE UNIQUE INDEX uq_reminder_slot ON reminder (recipient, sent_on, slot) WHERE slot IS NOT NULL;

-- Up to when changes of a one-stop database have been read, by its clock.
CREATE TABLE onestop_mark (
  onestop TEXT NOT NULL PRIMARY KEY,
  read_to TIMESTAMP NOT NULL
);

-- What a channel had on a day that is over, by the province's calendar.
CREATE TABLE daily (
  day          TEXT NOT NULL,               -- as 2018-08-15
  channel      TEXT NOT NULL,
  messages_in  INTEGER NOT NULL,
  messages_out INTEGER NOT NULL,            -- that the carrier took
  delivered    INTEGER NOT NULL,
  failed       INTEGER NOT NULL,
  cost         BIGINT NOT NULL,             -- in đồng, by the tariff of that time
  counted_at   TIMESTAMP NOT NULL,
  CONSTRAINT pk_daily PRIMARY KEY (day, channel)
);

-- How long replies took on a day that is over, from a message's arrival until the carrier had its reply.
CREATE TABLE daily_reply (
  day TEXT NOT NULL PRIMARY KEY,            -- as 2018-08-15
  p50 DOUBLE PRECISION,                     -- seconds that half of them took at the most; NULL: there were none
  p95 DOUBLE PRECISION                      -- the same of 95 in a hundred
);

-- What was said between us and a carrier, for a week: its call and its answer, secrets and numbers masked. A call is
-- found by its channel and time, which are those of the message's submission or attempt; so one of 500 messages is one
-- row. outbound_id: the message, where the call carried but one.
CREATE TABLE exchange (
  id          TEXT NOT NULL PRIMARY KEY,
  channel     TEXT NOT NULL,
  at          TIMESTAMP NOT NULL,
  outbound_id TEXT,
  seconds     DOUBLE PRECISION NOT NULL,
  packed      TEXT NOT NULL                 -- request and answer, by zlib, in base64: see smsgw/store/packing.py
);
CREATE INDEX ix_exchange_at ON exchange (at, channel);

-- What a carrier called us with and was answered, for a week, secrets masked; numbers when it is shown. The callbacks of
-- a channel that were committed together are one row, found by the time of the messages and receipts that they brought.
CREATE TABLE callback_group (
  at      TIMESTAMP NOT NULL,
  channel TEXT NOT NULL,
  id      TEXT NOT NULL,
  packed  TEXT NOT NULL,                    -- by zlib, in base64: see smsgw/store/packing.py
  CONSTRAINT pk_callback_group PRIMARY KEY (at, channel, id)
);
