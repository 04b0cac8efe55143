package com.datanadhi.sdk.internal.echopost;

import com.datanadhi.sdk.internal.queue.OutgoingRecord;
import java.util.List;

/**
 * What became of records that were handed over together. Those in neither list were not taken, or
 * it is not known: they can be sent again, some other way.
 *
 * @param stored on the agent's stable storage
 * @param refused never to be taken, as they are
 */
public record SendResult(List<OutgoingRecord> stored, List<OutgoingRecord> refused) {}
