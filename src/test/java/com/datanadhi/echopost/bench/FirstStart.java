package com.datanadhi.echopost.bench;

import com.datanadhi.echopost.testkit.AgentProcess;
import com.datanadhi.echopost.testkit.Directories;
import com.datanadhi.echopost.testkit.StubServer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeoutException;

/// The time from the spawn to the socket file where the program has never run before, and must
/// first unpack itself: two are spawned at once, in directories of their own, with one new place to
/// unpack to; the slower one counts. The file is read from the disk, as after a restart of the
/// machine, where the system's `dd` can make the kernel forget it (GNU's can).
///
/// There is no floor, only a peer.
final class FirstStart implements Measurement {
  private final Workbench bench;
  private final Values values = new Values();
  private boolean toldOfPageCache;

  FirstStart(Workbench bench) {
    this.bench = bench;
  }

  @Override
  public String name() {
    return "first start";
  }

  @Override
  public void round() throws Exception {
    for (Program program : bench.programs()) {
      measure(program);
    }
  }

  private void measure(Program program) throws IOException, InterruptedException, TimeoutException {
    Path runtime = bench.newDirectory();
    Map<String, String> environment = Map.of(AgentProcess.RUNTIME_DIR, runtime.toString());
    forget(program.path());
    try (StubServer server = StubServer.down()) {
      long start = System.nanoTime();
      AgentProcess one = bench.spawn(program, server.url(), environment);
      AgentProcess other = bench.spawn(program, server.url(), environment);
      one.awaitSocket();
      other.awaitSocket();
      values.add("first_start", program.name(), (System.nanoTime() - start) / 1e6);
      bench.stop(one);
      bench.stop(other);
    }
    Directories.delete(runtime);
  }

  private void forget(Path file) throws IOException, InterruptedException {
    // Only what has been written back can be forgotten.
    Process process =
        new ProcessBuilder(
                "sh", "-c", "sync && dd if=\"$0\" iflag=nocache count=0", file.toString())
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start();
    if (process.waitFor() != 0 && !toldOfPageCache) {
      toldOfPageCache = true;
      System.err.println("first start: this dd cannot drop the program from the page cache");
    }
  }

  @Override
  public List<Figure> figures() {
    return List.of(
        values.figure("first_start", "first start of two, read from the disk and unpacked", "ms"));
  }
}
