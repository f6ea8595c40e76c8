-- A replay of what was handled asks for a second run, whatever became of its twin.
ALTER TABLE entry ADD COLUMN forced boolean NOT NULL DEFAULT false;
