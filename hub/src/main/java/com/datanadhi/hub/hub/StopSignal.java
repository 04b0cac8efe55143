package com.datanadhi.hub.hub;

import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;

/// The signals of the process: TERM and INT stop the hub, HUP rotates the log.
///
/// A shutdown hook would not do: Java runs it for HUP too. The JDK's class for signals is not in
/// its API, and the compiler cannot be told to accept it, so it is called by reflection.
final class StopSignal {
  private final BlockingQueue<Boolean> signals = new LinkedBlockingQueue<>();

  private StopSignal() {}

  /// Takes the signals over, for the rest of the process.
  static StopSignal install() {
    StopSignal stop = new StopSignal();
    try {
      stop.handle("TERM", true);
      stop.handle("INT", true);
      stop.handle("HUP", false);
    } catch (ReflectiveOperationException missing) {
      throw new LinkageError("this Java runtime has no module jdk.unsupported", missing);
    }
    return stop;
  }

  private void handle(String name, boolean stops) throws ReflectiveOperationException {
    Class<?> signal = Class.forName("sun.misc.Signal");
    Class<?> handler = Class.forName("sun.misc.SignalHandler");
    Object put =
        Proxy.newProxyInstance(
            handler.getClassLoader(),
            new Class<?>[] {handler},
            (_, method, _) -> {
              if (method.getName().equals("handle")) {
                signals.add(stops);
              }
              return null;
            });
    Method install = signal.getMethod("handle", signal, handler);
    Object _ = install.invoke(null, signal.getConstructor(String.class).newInstance(name), put);
  }

  /// Whether a signal has come that stops the hub, and [#await] has not returned it yet.
  boolean isStopping() {
    return signals.contains(true);
  }

  /// Waits for the next signal.
  ///
  /// @return whether the hub is to stop; if not, its log is to be rotated
  boolean await() throws InterruptedException {
    return signals.take();
  }
}
