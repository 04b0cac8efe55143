package com.datanadhi.hub.control;

import com.datanadhi.hub.apply.Replay;
import com.datanadhi.hub.record.Position;
import com.datanadhi.hub.record.TenantName;
import com.datanadhi.hub.view.StoredEvent;
import com.datanadhi.hub.view.TenantWriter;

/// What archived records of `_control` mean; those of other tenants mean nothing more.
public final class ControlReplay implements Replay.Meaning {
  /// A record cannot be understood: a newer version of the hub has written it.
  public static final class NewerRecordException extends RuntimeException {
    private static final long serialVersionUID = 1;

    NewerRecordException(String message) {
      super(message);
    }
  }

  @Override
  public void put(TenantWriter writer, StoredEvent event, Position position) {
    if (!writer.state().tenant().equals(TenantName.CONTROL)) {
      return;
    }
    try {
      ControlRecord.ofJson(event.logData())
          .put(writer.control(), event.receivedAt(), position.offset());
    } catch (ControlRecord.UnreadableException newer) {
      throw new NewerRecordException(
          "the record "
              + position
              + " of "
              + TenantName.CONTROL
              + " cannot be understood: "
              + newer.getMessage()
              + ". Use the version of the hub that wrote it, or a later one");
    }
  }
}
