package com.datanadhi.sdk.internal.thread;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.InputStream;
import java.lang.ref.WeakReference;
import java.time.Duration;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

public class SdkThreadTest {
  /** From a class that the application does not have. */
  public static final Runnable WORK = () -> {};

  /**
   * In a container that shares the SDK, one web application opens the client that others use after
   * it was undeployed.
   */
  @Test
  void a_thread_does_not_hold_the_class_loader_of_its_maker() throws Exception {
    WeakReference<ClassLoader> loader = new WeakReference<>(new ApplicationLoader());
    Thread thread =
        (Thread)
            ((Supplier<?>)
                    loader
                        .get()
                        .loadClass(Maker.class.getName())
                        .getDeclaredConstructor()
                        .newInstance())
                .get();
    await()
        .atMost(Duration.ofSeconds(60))
        .untilAsserted(() -> {
          System.gc();
          assertThat(loader.get()).isNull();
        });
    assertThat(thread.getName()).isEqualTo("datanadhi-test");
  }

  /** The application. */
  public static final class Maker implements Supplier<Thread> {
    @Override
    public Thread get() {
      return SdkThread.named("datanadhi-test", WORK);
    }
  }

  /** Has a class of its own for the application, and shares all others. */
  private static final class ApplicationLoader extends ClassLoader {
    ApplicationLoader() {
      super(SdkThreadTest.class.getClassLoader());
    }

    @Override
    protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
      if (!name.equals(Maker.class.getName())) {
        return super.loadClass(name, resolve);
      }
      try (InputStream file = getResourceAsStream(name.replace('.', '/') + ".class")) {
        byte[] bytes = file.readAllBytes();
        return defineClass(name, bytes, 0, bytes.length);
      } catch (IOException unreadable) {
        throw new ClassNotFoundException(name, unreadable);
      }
    }
  }
}
