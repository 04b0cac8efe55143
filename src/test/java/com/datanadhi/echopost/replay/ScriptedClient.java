package com.datanadhi.echopost.replay;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.datanadhi.echopost.upstream.DeliveryClient;
import com.datanadhi.echopost.upstream.DeliveryRequest;
import com.datanadhi.echopost.upstream.EncodedBatch;
import com.datanadhi.echopost.upstream.Offer;
import com.datanadhi.echopost.upstream.ServerResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.function.Predicate;

/// A main server without a network: what it answers is set by a test, and what it gets is kept.
final class ScriptedClient implements DeliveryClient {
  static final ServerResponse OK = new ServerResponse.Answered(200, null, "");

  /// The records that came one by one.
  final List<DeliveryRequest> deliveries = new ArrayList<>();

  /// The payloads of each batch.
  final List<List<String>> batches = new ArrayList<>();

  /// The payloads in the order of arrival, of batches too.
  final List<String> arrivals = new ArrayList<>();

  /// The response to a record, by its payload.
  Function<String, ServerResponse> answers = payload -> OK;

  /// The response to a batch, by its payloads.
  Function<List<String>, ServerResponse> batchAnswers = ScriptedClient::stored;

  /// Whether each batch was packed.
  final List<Boolean> packed = new ArrayList<>();

  /// Batches that were encoded.
  final AtomicInteger encoded = new AtomicInteger();

  /// Encoded batches that are not closed, their bytes, and the most of both at one time.
  final AtomicInteger openBatches = new AtomicInteger();

  final AtomicInteger mostOpenBatches = new AtomicInteger();
  final AtomicInteger mostOpenBytes = new AtomicInteger();
  private final AtomicInteger openBytes = new AtomicInteger();

  /// The payload at which the caller is interrupted; empty for none.
  String interruptedAt = "";

  Offer offer = Offer.NONE;
  long probes = 1;

  /// Every record is stored.
  static ServerResponse stored(List<String> batch) {
    return answer("{\"stored\":" + batch.size() + ",\"errors\":[]}");
  }

  /// 200 with this body.
  static ServerResponse answer(String body) {
    return new ServerResponse.Answered(200, null, body);
  }

  static String payload(DeliveryRequest request) {
    return new String(request.jsonData(), UTF_8);
  }

  @Override
  public void deliver(List<DeliveryRequest> records, Predicate<ServerResponse> continueAfter)
      throws InterruptedException {
    for (DeliveryRequest record : records) {
      if (payload(record).equals(interruptedAt)) {
        throw new InterruptedException();
      }
      deliveries.add(record);
      arrivals.add(payload(record));
      if (!continueAfter.test(answers.apply(payload(record)))) {
        return;
      }
    }
  }

  @Override
  public EncodedBatch encode(List<DeliveryRequest> batch, boolean gzip) {
    int length = batch.stream().mapToInt(DeliveryRequest::lineLength).sum();
    int _ = encoded.incrementAndGet();
    most(mostOpenBatches, openBatches.incrementAndGet());
    most(mostOpenBytes, openBytes.addAndGet(length));
    List<String> payloads = batch.stream().map(ScriptedClient::payload).toList();
    return new EncodedBatch() {
      @Override
      public int length() {
        return length;
      }

      @Override
      public ServerResponse deliver() throws InterruptedException {
        if (payloads.contains(interruptedAt)) {
          throw new InterruptedException();
        }
        batches.add(payloads);
        packed.add(gzip);
        arrivals.addAll(payloads);
        return batchAnswers.apply(payloads);
      }

      @Override
      public void close() {
        int _ = openBatches.decrementAndGet();
        int _ = openBytes.addAndGet(-length);
      }
    };
  }

  private static void most(AtomicInteger most, int now) {
    int _ = most.accumulateAndGet(now, Math::max);
  }

  @Override
  public Offer offer() {
    return offer;
  }

  @Override
  public long successfulProbes() {
    return probes;
  }
}
