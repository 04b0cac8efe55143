package com.datanadhi.hub.cli;

import com.datanadhi.hub.admin.AdministrationException;
import com.datanadhi.hub.admin.HubLauncher;
import com.datanadhi.hub.hub.DataDirectoryLock;
import java.io.IOException;
import java.util.Map;

/// What a command works with.
///
/// @param environment of the process
/// @param version of the program
record Session(
    Map<String, String> environment,
    String version,
    Output out,
    Output err,
    HubAccess hubs,
    HubLauncher launcher) {
  /// Runs `work` on the hub of the directory that the flags name, as [HubAccess#on].
  int onHub(CommonFlags common, HubAccess.Work work)
      throws AdministrationException,
          DataDirectoryLock.OwnedException,
          IOException,
          InterruptedException {
    return hubs.on(common.data(environment), work);
  }
}
