package com.datanadhi.sdk.internal.echopost;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ChildProcessTest {
  @TempDir Path directory;

  @Test
  void the_thread_that_waits_for_an_agent_does_not_hold_the_class_loader() throws Exception {
    try (URLClassLoader loader = new URLClassLoader(new URL[0])) {
      CompletableFuture<Process> started = new CompletableFuture<>();
      Thread starting =
          new Thread(() -> {
            try {
              started.complete(DetachedProcess.start(List.of("sleep", "60"), directory, Map.of()));
            } catch (Exception failed) {
              started.completeExceptionally(failed);
            }
          });
      starting.setContextClassLoader(loader);
      starting.start();
      Process process = started.get();
      starting.join();
      try {
        assertThat(Thread.getAllStackTraces().keySet())
            .extracting(Thread::getContextClassLoader)
            .doesNotContain(loader);
      } finally {
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly().waitFor();
      }
    }
  }
}
