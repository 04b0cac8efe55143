package com.datanadhi.echopost.salvage;

import com.datanadhi.echopost.record.NewRecord;
import com.datanadhi.echopost.record.RejectionDetails;
import org.jspecify.annotations.Nullable;

/// A sound row of `records` or `rejected` in a damaged file.
///
/// @param id its id in that file
/// @param content what was accepted
/// @param rejection why it was rejected; null for a row of `records`
public record SalvagedRow(long id, NewRecord content, @Nullable RejectionDetails rejection) {}
