package com.datanadhi.sdk.internal.echopost;

import com.datanadhi.sdk.internal.queue.OutgoingRecord;
import java.util.List;

/**
 * The result of sending records to EchoPost. A record in neither list was not acknowledged: it can
 * be sent again, to any destination.
 *
 * @param stored records that the agent has on stable storage
 * @param refused records that the agent refused as invalid; it would refuse them again
 */
public record SendResult(List<OutgoingRecord> stored, List<OutgoingRecord> refused) {}
