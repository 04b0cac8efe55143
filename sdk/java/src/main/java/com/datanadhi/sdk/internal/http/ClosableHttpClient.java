package com.datanadhi.sdk.internal.http;

import com.datanadhi.sdk.internal.thread.SdkThread;
import java.lang.reflect.InvocationTargetException;
import java.net.http.HttpClient;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * An {@link HttpClient} whose thread can be ended. Since Java 21 the client can be shut down.
 * Before, its selector thread ends some time after a garbage collection, and holds the class loader
 * of the application until then: so the client is made in a thread group of its own, by which the
 * thread is found, and the thread is interrupted. Thread-safe.
 */
public final class ClosableHttpClient implements AutoCloseable {
  private final ThreadGroup group = new ThreadGroup("datanadhi-http");
  private volatile @Nullable HttpClient client;

  /** Makes a client with {@code building}, which runs on a thread of its own. */
  public ClosableHttpClient(Supplier<HttpClient> building) {
    this.client = inGroup(building);
  }

  private HttpClient inGroup(Supplier<HttpClient> building) {
    try {
      return CompletableFuture.supplyAsync(
              building, work -> SdkThread.inGroup(group, "datanadhi-http", work).start())
          .join();
    } catch (CompletionException failed) {
      if (failed.getCause() instanceof Error error) {
        // Perhaps there is no thread for the client, but for the next one.
        throw error;
      }
      throw failed;
    }
  }

  /**
   * The client.
   *
   * @throws RejectedExecutionException after {@link #close}
   */
  public HttpClient get() {
    HttpClient open = client;
    if (open == null) {
      throw new RejectedExecutionException("the client is closed");
    }
    return open;
  }

  /** Ends the client's thread; requests that run fail or stay without an answer. */
  @Override
  public void close() {
    HttpClient closed = client;
    if (closed == null) {
      return;
    }
    // New JDKs hold what a client was built with, until a collection finds that nobody has it.
    client = null;
    try {
      // Since Java 21; the SDK is compiled for Java 17.
      HttpClient.class.getMethod("shutdownNow").invoke(closed);
    } catch (NoSuchMethodException olderJava) {
      group.interrupt();
    } catch (IllegalAccessException | InvocationTargetException impossible) {
      throw new IllegalStateException(impossible);
    }
  }
}
