package com.datanadhi.sdk.internal.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ProxiesTest {
  private static final String PROXY = "http://proxy:3128";

  private static Proxies settings(String url, String exceptions) {
    return new Proxies(url, exceptions, Map.of(), name -> null);
  }

  private static String select(Proxies proxies, String server) {
    return proxies
        .select(HostAddress.require(URI.create(server)))
        .map(Proxies.ProxyServer::toString)
        .orElse("");
  }

  @ParameterizedTest
  @CsvSource({
    "shop, http://shop, true",
    "shop, http://a.shop, true",
    "shop, http://workshop, false",
    ".shop, http://shop, false",
    ".shop, http://a.shop, true",
    "*.shop, http://a.shop, true",
    "SHOP, http://Shop, true",
    "log_server, http://log_server:8080, true",
    "shop:8080, http://shop:8080, true",
    "shop:8080, http://shop, false",
    "shop:443, https://shop, true",
    "*, http://other, true",
    "10.0.0.0/8, http://10.1.2.3, true",
    "10.0.0.0/8, http://11.1.2.3, false",
    "10.0.0.0/8, http://10.example, false",
    "10.0.0.0/99, http://10.1.2.3, false",
    "fd00::/8, 'http://[fd12::1]:80', true",
    "'[fd12::1]', 'http://[fd12::1]', true",
    "10.1.2.3, http://10.1.2.3, true",
    "elsewhere, http://127.0.0.1, true",
    "elsewhere, http://localhost, true",
    "elsewhere, 'http://[::1]', true",
  })
  void servers_without_a_proxy(String exceptions, String server, boolean direct) {
    assertThat(select(settings(PROXY, "first.invalid, " + exceptions), server))
        .isEqualTo(direct ? "" : "proxy:3128");
  }

  @ParameterizedTest
  @CsvSource({
    "proxy, proxy:80",
    "proxy:3128, proxy:3128",
    "http://proxy_1:3128/, proxy_1:3128",
    "'http://[::1]:3128', '[::1]:3128'",
    "http://user:p%40ss@proxy:3128, proxy:3128"
  })
  void valid_urls(String url, String expected) {
    assertThat(Proxies.isValid(url)).isTrue();
    assertThat(select(settings(url, ""), "http://shop")).isEqualTo(expected);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "https://proxy",
        "ftp://proxy",
        "http://",
        "http://proxy:0",
        "http://proxy:70000",
        "http://proxy/path",
        "socks5://proxy:1080",
        "socks5://user:password@proxy",
        "http://us%2@proxy"
      })
  void invalid_urls(String url) {
    assertThat(Proxies.isValid(url)).isFalse();
  }

  @Test
  void the_environment_is_that_of_the_scheme_and_not_used_for_http_in_a_cgi_program() {
    Map<String, String> environment =
        Map.of("https_proxy", "secure:1", "HTTP_PROXY", "plain:2", "REQUEST_METHOD", "GET");
    Proxies proxies = new Proxies("", "", environment, name -> null);
    assertThat(select(proxies, "https://shop")).isEqualTo("secure:1");
    assertThat(select(proxies, "http://shop")).isEmpty();
    assertThat(proxies.ofAgent(URI.create("https://shop"))).isEmpty();
  }

  @Test
  void a_socks_proxy_of_the_environment_is_left_to_the_agent() {
    Proxies proxies =
        new Proxies("", "", Map.of("https_proxy", "socks5://proxy:1080"), name -> null);
    assertThat(select(proxies, "https://shop")).isEmpty();
    assertThat(proxies.ofAgent(URI.create("https://shop"))).isEmpty();
  }

  @Test
  void servers_without_a_proxy_by_the_settings_have_none_from_the_environment_either() {
    Proxies proxies =
        new Proxies("", "shop", Map.of("http_proxy", "proxy:1", "no_proxy", "x"), name -> null);
    assertThat(select(proxies, "http://shop")).isEmpty();
    assertThat(select(proxies, "http://x")).isEqualTo("proxy:1");
    assertThat(proxies.ofAgent(URI.create("http://shop")))
        .containsExactly(Map.entry("NO_PROXY", "shop"));
  }

  @Test
  void the_agent_gets_the_proxy_with_its_password_or_is_told_to_use_none() {
    assertThat(
            settings("http://us%20er:p%40s%3As@proxy:3128", "").ofAgent(URI.create("https://shop")))
        .containsEntry("HTTPS_PROXY", "http://us%20er:p%40s%3As@proxy:3128")
        .containsEntry("NO_PROXY", "");
    assertThat(settings(Proxies.DIRECT, "").ofAgent(URI.create("http://shop")))
        .containsEntry("NO_PROXY", "*");
  }
}
