package com.datanadhi.echopost.salvage;

import com.datanadhi.echopost.record.NewRecord;
import com.datanadhi.echopost.record.RejectionDetails;
import org.jspecify.annotations.Nullable;

/// A row of `records` or `rejected` as it was found in a damaged file, its checksum right.
///
/// @param id as it was stored there
/// @param content what was accepted
/// @param rejection what the server had said, or null for a row of `records`
public record SalvagedRow(long id, NewRecord content, @Nullable RejectionDetails rejection) {}
