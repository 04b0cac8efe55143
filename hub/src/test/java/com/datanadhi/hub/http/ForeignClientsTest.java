package com.datanadhi.hub.http;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Clients that are not of Java, as far as they are installed.
final class ForeignClientsTest {
  private TestHub hub;

  @BeforeEach
  void start() throws Exception {
    hub = new TestHub(DoorSettings.standard(1_000));
  }

  @AfterEach
  void stop() throws Exception {
    hub.close();
  }

  private static String run(String... command) throws IOException, InterruptedException {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    process.getOutputStream().close();
    String output = new String(process.getInputStream().readAllBytes(), UTF_8);
    assertThat(process.waitFor()).as(output).isZero();
    return output;
  }

  private static boolean isThere(String... command) throws InterruptedException {
    try {
      return new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start()
              .waitFor()
          == 0;
    } catch (IOException missing) {
      return false;
    }
  }

  @Test
  void curl_sends_and_reads() throws Exception {
    assumeTrue(isThere("curl", "--version"));
    String receipt =
        run(
            "curl",
            "-sS",
            hub.uri("/log").toString(),
            "-H",
            "DATANADHI_API_KEY: " + TestHub.KEY,
            "-H",
            "Content-Type: application/json",
            "-H",
            "Idempotency-Key: \"c-1\"",
            "-d",
            "{\"pipelines\":[\"p\"],\"log_data\":\"" + "x".repeat(100_000) + "\"}");
    assertThat(receipt).contains("\"key\":\"c-1\"");
    assertThat(
            run(
                "curl",
                "-sS",
                "-w",
                "%{http_code}",
                "-o",
                "/dev/null",
                "-H",
                "X-DATANADHI-API-KEY: " + TestHub.KEY,
                hub.uri("/v1/records").toString()))
        .isEqualTo("200");
    assertThat(run("curl", "-sS", "-I", hub.uri("/").toString()))
        .contains("Accept-Post: application/json, application/x-ndjson");
  }

  @Test
  void python_sends_batches_packed_and_hears_early_refusals() throws Exception {
    assumeTrue(isThere("python3", "-c", "import requests"));
    String script =
        """
        import gzip, json, sys, requests, urllib.request, urllib.error
        base, key = sys.argv[1], sys.argv[2]
        session = requests.Session()
        session.headers['DATANADHI-API-KEY'] = key
        lines = ''.join(json.dumps({'key': 'p-%d' % i, 'pipelines': ['p'], 'log_data': {'i': i}}) + '\\n' for i in range(500))
        head = {'Content-Type': 'application/x-ndjson', 'Content-Encoding': 'gzip'}
        answer = session.post(base + '/log', data=gzip.compress(lines.encode()), headers=head)
        assert answer.json() == {'stored': 500, 'errors': []}, answer.text
        def chunks():
            yield b'{"pipelines":[],'
            yield b'"log_data":1}'
        answer = session.post(base + '/log', data=chunks(), headers={'Content-Type': 'application/json'})
        assert answer.status_code == 200, answer.text
        answer = session.post(base + '/log', data=b'x' * (20 << 20), headers={'Content-Type': 'application/json'})
        assert answer.status_code == 413, answer.text
        answer = requests.post(base + '/log', data=b'x' * (8 << 20), headers={'Content-Type': 'application/json'})
        assert answer.status_code == 401 and answer.json()['status'] == 401, answer.text
        seqs = [json.loads(line)['seq'] for line in session.get(base + '/v1/records', stream=True).iter_lines()]
        assert seqs == list(range(1, 502)), seqs
        try:
            urllib.request.urlopen(base + '/v1/records')
            raise SystemExit('no error')
        except urllib.error.HTTPError as e:
            assert e.code == 401, e
        print('done')
        """;
    String base = "http://127.0.0.1:" + hub.door.port();
    assertThat(run("python3", "-c", script, base, TestHub.KEY)).isEqualTo("done\n");
    assertThat(hub.events).hasSize(501);
    assertThat(List.copyOf(hub.known.keySet())).contains("p-0", "p-499");
  }
}
