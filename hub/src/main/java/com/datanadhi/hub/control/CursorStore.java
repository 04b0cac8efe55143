package com.datanadhi.hub.control;

import com.datanadhi.hub.apply.MailboxCursors;
import com.datanadhi.hub.logging.Events;
import com.datanadhi.hub.view.CursorRow;
import com.datanadhi.hub.view.MailboxReader;
import com.datanadhi.hub.view.TenantDatabases;
import com.datanadhi.hub.view.ViewException;
import java.util.List;

/// The cursors, which are only in the database of `_control` and in the mailboxes. Thread-safe.
final class CursorStore implements Cursors, MailboxCursors {
  private static final int MAX_CURSOR_NAME_LENGTH = 255;

  private final TenantDatabases databases;
  private final ControlFollower follower;

  CursorStore(TenantDatabases databases, ControlFollower follower) {
    this.databases = databases;
    this.follower = follower;
  }

  @Override
  public void move(String tenant, String pipeline, String consumer, long through)
      throws ControlUnavailableException, InterruptedException {
    if (through < 0) {
      throw new IllegalArgumentException("a cursor is at 0 or more");
    }
    if (consumer.isEmpty() || consumer.length() > MAX_CURSOR_NAME_LENGTH) {
      throw new IllegalArgumentException("a consumer's name has 1 to 255 characters");
    }
    follower.checkReady();
    follower.record(new ControlRecord.CursorMoved(tenant, pipeline, consumer, through));
    String behind = follower.problem();
    if (behind != null) {
      throw new ControlUnavailableException(behind);
    }
    try {
      catchUp(tenant);
    } catch (ViewException later) {
      // The cursor is where it was moved to; the next move or rebuild brings the mailbox there.
      Events.warning(
          "mailbox_cursor_behind", "tenant", tenant, "reason", String.valueOf(later.getMessage()));
    }
  }

  /// {@inheritDoc}
  ///
  /// A mailbox holds the offset up to which its cursors are, so it does not matter how many threads
  /// do this at the same time.
  @Override
  public void catchUp(String tenant) throws ViewException, InterruptedException {
    long upTo = databases.readMailbox(tenant, MailboxReader::controlOffset);
    List<CursorRow> newer = follower.read(reader -> reader.control().cursorsAfter(tenant, upTo));
    if (newer.isEmpty()) {
      return;
    }
    int _ =
        databases.writeMailbox(
            tenant,
            mailbox -> {
              int moved = 0;
              for (CursorRow row : newer) {
                if (row.controlOffset() > mailbox.controlOffset()) {
                  mailbox.moveCursor(
                      row.pipeline(),
                      row.consumer(),
                      row.through(),
                      row.updatedAt(),
                      row.controlOffset());
                  moved++;
                }
              }
              return moved;
            });
  }

  @Override
  public long through(String tenant, String pipeline, String consumer)
      throws ViewException, InterruptedException {
    return follower.read(reader -> {
      CursorRow cursor = reader.control().cursor(tenant, pipeline, consumer);
      return cursor == null ? 0L : cursor.through();
    });
  }
}
