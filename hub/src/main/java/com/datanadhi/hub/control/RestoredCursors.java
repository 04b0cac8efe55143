package com.datanadhi.hub.control;

import com.datanadhi.hub.apply.MailboxCursors;
import com.datanadhi.hub.record.TenantName;
import com.datanadhi.hub.view.CursorRow;
import com.datanadhi.hub.view.TenantDatabases;
import com.datanadhi.hub.view.ViewException;
import java.util.ArrayList;
import java.util.List;

/// The cursors of a restored `_control`, for restored mailboxes. A cursor beyond the last item of
/// its pipeline is set to that, since the records behind it were not restored: its consumer would
/// never see the new records that get their numbers.
public final class RestoredCursors implements MailboxCursors {
  private final TenantDatabases databases;

  /// @param databases with `_control` and the tenants
  public RestoredCursors(TenantDatabases databases) {
    this.databases = databases;
  }

  @Override
  public void catchUp(String tenant) throws ViewException, InterruptedException {
    if (!databases.exists(TenantName.CONTROL)) {
      return;
    }
    List<CursorRow> cursors =
        databases.read(TenantName.CONTROL, reader -> reader.control().cursorsAfter(tenant, -1));
    if (cursors.isEmpty()) {
      return;
    }
    List<CursorRow> beyond =
        databases.writeMailbox(
            tenant,
            mailbox -> {
              List<CursorRow> moved = new ArrayList<>();
              for (CursorRow row : cursors) {
                long through = Math.min(row.through(), mailbox.lastItem(row.pipeline()));
                mailbox.moveCursor(
                    row.pipeline(),
                    row.consumer(),
                    through,
                    row.updatedAt(),
                    Math.max(row.controlOffset(), mailbox.controlOffset()));
                if (through < row.through()) {
                  moved.add(
                      new CursorRow(
                          tenant,
                          row.pipeline(),
                          row.consumer(),
                          through,
                          row.updatedAt(),
                          row.controlOffset()));
                }
              }
              return moved;
            });
    if (!beyond.isEmpty()) {
      int _ =
          databases.write(
              TenantName.CONTROL,
              writer -> {
                beyond.forEach(writer.control()::putCursor);
                return beyond.size();
              });
    }
  }
}
