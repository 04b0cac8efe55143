package com.datanadhi.hub.archive;

/// How a tenant's archive and its database stand to each other.
public enum ArchiveRelation {
  /// Not yet known in this run: the store or the database could not be read so far.
  UNKNOWN,
  /// The archive is a prefix of the database, which it continues with.
  CONTINUES,
  /// The database is a prefix of the archive: an old copy of it was put back, or it is being
  /// rebuilt. Archiving waits until the database has reached the archive's end.
  AHEAD,
  /// They have different records at the same seq. Archiving waits for a person.
  FORKED
}
