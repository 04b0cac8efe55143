package com.datanadhi.echopost.bench;

import com.datanadhi.echopost.testkit.AgentProcess;
import com.datanadhi.testkit.Directories;
import com.datanadhi.testkit.PackagedProgram;
import com.datanadhi.testkit.StubServer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeoutException;

/// Measures the time from spawn to socket when the program runs for the first time and must unpack
/// itself. Two processes are spawned at once, on different directories, with one new runtime
/// directory; the slower one counts. The program is read from the disk, as after a reboot, if the
/// machine's `dd` can drop it from the page cache (GNU dd can).
///
/// There is no floor, only the peer.
final class FirstStart implements Benchmark {
  private final TestBed testBed;
  private final MeasuredValues values = new MeasuredValues();
  private boolean warnedOfPageCache;

  FirstStart(TestBed testBed) {
    this.testBed = testBed;
  }

  @Override
  public String name() {
    return "first start";
  }

  @Override
  public void round() throws Exception {
    for (MeasuredProgram program : testBed.programs()) {
      measure(program);
    }
  }

  private void measure(MeasuredProgram program)
      throws IOException, InterruptedException, TimeoutException {
    Path runtime = testBed.newDirectory();
    Map<String, String> environment = Map.of(PackagedProgram.RUNTIME_DIR, runtime.toString());
    dropFromPageCache(program.path());
    try (StubServer server = StubServer.down()) {
      long start = System.nanoTime();
      AgentProcess first = testBed.spawn(program, server.url(), environment);
      AgentProcess second = testBed.spawn(program, server.url(), environment);
      first.awaitSocket();
      second.awaitSocket();
      values.add("first_start", program.name(), (System.nanoTime() - start) / 1e6);
      testBed.stop(first);
      testBed.stop(second);
    }
    Directories.delete(runtime);
  }

  private void dropFromPageCache(Path file) throws IOException, InterruptedException {
    // Only pages that are written back can be dropped.
    Process process =
        new ProcessBuilder(
                "sh", "-c", "sync && dd if=\"$0\" iflag=nocache count=0", file.toString())
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start();
    if (process.waitFor() != 0 && !warnedOfPageCache) {
      warnedOfPageCache = true;
      System.err.println(
          "first start: warning: this dd cannot drop the program from the page cache");
    }
  }

  @Override
  public List<Figure> figures() {
    return List.of(values.figure("first_start", "first start, with unpacking, two at once", "ms"));
  }
}
