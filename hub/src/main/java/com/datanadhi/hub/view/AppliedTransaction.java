package com.datanadhi.hub.view;

import com.datanadhi.hub.record.Content;

/// A row of `applied_events`: a transaction that was stored.
///
/// @param firstSeq of its first record
/// @param records how many it has; their seqs follow each other
/// @param receivedAt as stored, in milliseconds since 1970
public record AppliedTransaction(
    String key,
    Content content,
    long firstSeq,
    int records,
    long receivedAt,
    String position,
    String durability) {}
