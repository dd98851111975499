-- The sample one-stop database. An agency's own looks different; what they share is the view at the end.

CREATE TABLE agency (
  code TEXT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  kind TEXT NOT NULL
);

CREATE TABLE procedure (
  code TEXT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL
);

CREATE TABLE dossier (
  code              TEXT NOT NULL PRIMARY KEY,
  procedure_code    TEXT NOT NULL REFERENCES procedure (code),
  agency_code       TEXT NOT NULL REFERENCES agency (code),
  service_level     INTEGER NOT NULL,
  applicant_name    TEXT NOT NULL,
  applicant_phone   TEXT NOT NULL,
  status            INTEGER NOT NULL,
  step_name         TEXT NOT NULL,
  step_since        TIMESTAMP NOT NULL,
  received_at       TIMESTAMP NOT NULL,
  due_at            TIMESTAMP NOT NULL,
  finished_at       TIMESTAMP,
  returned_at       TIMESTAMP,
  new_due_at        TIMESTAMP,
  delay_reason      TEXT,
  supplement_note   TEXT,
  supplement_due_at TIMESTAMP,
  fee_due           INTEGER,
  fee_paid_at       TIMESTAMP,
  delivery          TEXT NOT NULL,
  post_tracking     TEXT,
  updated_at        TIMESTAMP NOT NULL
);
CREATE INDEX ix_dossier_updated ON dossier (updated_at);

CREATE VIEW dossier_status AS
SELECT
  dossier.code, procedure_code, procedure.name AS procedure_name, agency_code, agency.name AS agency_name,
  service_level, applicant_name, applicant_phone, status, step_name, step_since, received_at, due_at, finished_at,
  returned_at, new_due_at, delay_reason, supplement_note, supplement_due_at, fee_due, fee_paid_at, delivery,
  post_tracking, updated_at
FROM dossier
JOIN procedure ON procedure.code = dossier.procedure_code
JOIN agency ON agency.code = dossier.agency_code;
