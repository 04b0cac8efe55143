package com.datanadhi.sdk.internal.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class HostAddressTest {
  @ParameterizedTest
  @CsvSource({
    "http://log_server:8080, log_server, 8080",
    "http://_x, _x, 80",
    "https://a.b_c.d/path, a.b_c.d, 443",
    "HTTP://1st:, 1st, 80",
    "'http://[::1]:5000', '[::1]', 5000",
    "http://10.0.0.1:5000, 10.0.0.1, 5000"
  })
  void a_host_and_its_port(String url, String host, int port) {
    HostAddress address = HostAddress.require(URI.create(url));
    assertThat(address.host()).isEqualTo(host);
    assertThat(address.port()).isEqualTo(port);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "ftp://shop",
        "http:shop",
        "http://a..b",
        "http://-shop_a",
        "http://user@log_server",
        "http://log_server:70000",
        "http://log_server:0",
        "http://log_server:x",
        "http://log%5Fserver"
      })
  void no_address_of_a_server(String url) {
    assertThat(HostAddress.of(URI.create(url))).isEmpty();
  }
}
