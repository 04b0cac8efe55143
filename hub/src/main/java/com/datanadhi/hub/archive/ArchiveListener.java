package com.datanadhi.hub.archive;

/// Is told what the archiver has found out about a tenant. Called on the archiver's thread.
@FunctionalInterface
public interface ArchiveListener {
  /// The relation of a tenant's archive to its database has changed.
  ///
  /// @param tenantSeq the last seq in the database
  /// @param archiveSeq the last seq in the archive
  void relation(String tenant, ArchiveRelation relation, long tenantSeq, long archiveSeq);
}
