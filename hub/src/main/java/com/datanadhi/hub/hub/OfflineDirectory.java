package com.datanadhi.hub.hub;

import com.datanadhi.hub.admin.AdministrationException;
import com.datanadhi.hub.admin.AdministrationException.Reason;
import com.datanadhi.hub.admin.HubLauncher;
import com.datanadhi.hub.admin.HubSettings;
import com.datanadhi.hub.admin.OfflineHub;
import com.datanadhi.hub.apply.ApplyLoop;
import com.datanadhi.hub.control.ControlDamagedException;
import com.datanadhi.hub.restore.RestoredFile;
import com.datanadhi.hub.time.Clock;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/// A data directory on which no hub runs, opened for one command.
public final class OfflineDirectory extends HubAdministration implements OfflineHub {
  private final OpenDirectory directory;
  private final String version;
  private @Nullable Backups backups;

  private OfflineDirectory(OpenDirectory directory, String version) {
    super(directory, null, null, version);
    this.directory = directory;
    this.version = version;
  }

  /// Opens it, and applies what a killed hub left in the log, so that a command sees every record
  /// that was acknowledged.
  public static OfflineDirectory open(HubSettings settings, String version)
      throws AdministrationException, IOException, InterruptedException {
    if (RestoredFile.read(settings.dataDirectory()) != null) {
      throw new AdministrationException(
          Reason.FAILED,
          settings.dataDirectory()
              + " was restored, and no hub has served on it yet: read it with sqlite3 -readonly, or"
              + " run 'echopost-hub serve' on it first");
    }
    OpenDirectory directory =
        OpenDirectory.open(settings, (records, bytes, nanos) -> {}, _ -> {}, Clock.system(), false);
    boolean opened = false;
    try {
      directory.control.start();
      while (directory.apply.turn() == ApplyLoop.Turn.WORKED) {
        // Until nothing is left, or the log cannot be read on.
      }
      opened = true;
      return new OfflineDirectory(directory, version);
    } catch (ControlDamagedException damaged) {
      throw new AdministrationException(
          Reason.FAILED, String.valueOf(damaged.getMessage()), damaged);
    } finally {
      if (!opened) {
        directory.close();
      }
    }
  }

  @Override
  synchronized Backups backups() throws AdministrationException {
    Backups open = backups;
    if (open == null) {
      try {
        open = new Backups(directory, version, System.getenv(), () -> true, () -> false);
      } catch (HubLauncher.InvalidSettingException wrong) {
        throw new AdministrationException(
            Reason.INVALID, String.valueOf(wrong.getMessage()), wrong);
      } catch (IOException failed) {
        throw new AdministrationException(Reason.FAILED, failed.toString(), failed);
      }
      backups = open;
    }
    return open;
  }

  @Override
  public synchronized void close() throws IOException {
    if (backups != null) {
      backups.close();
    }
    directory.close();
  }
}
