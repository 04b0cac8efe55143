package com.datanadhi.echopost.upstream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ProxySettingsTest {
  private static ProxySettings.@Nullable Proxy proxyFor(
      String url, Map<String, String> environment) {
    return ProxySettings.fromEnvironment(environment).proxyFor(ServerUrl.parse(url));
  }

  @ParameterizedTest
  @CsvSource({
    "http://p:3128, HTTP, p, 3128,",
    "p:3128, HTTP, p, 3128,",
    "10.0.0.1:3128, HTTP, 10.0.0.1, 3128,",
    "p, HTTP, p, 80,",
    "https://p, HTTPS, p, 443,",
    "socks5://p, SOCKS5, p, 1080,",
    "SOCKS5H://p:9, SOCKS5, p, 9,",
    "http://u:s%40@p:1/, HTTP, p, 1, u:s@",
    "u:s@t@p:1, HTTP, p, 1, u:s@t",
    "u:s:t@p, HTTP, p, 80, u:s:t",
    "socks5://u@p, SOCKS5, p, 1080, u",
  })
  void a_proxy_is_parsed_as_go_parses_it(
      String value, ProxySettings.Kind kind, String host, int port, @Nullable String userInfo) {
    ProxySettings.Proxy expected = new ProxySettings.Proxy(kind, host, port, userInfo);
    assertThat(proxyFor("http://h", Map.of("HTTP_PROXY", value))).isEqualTo(expected);
    assertThat(proxyFor("https://h", Map.of("HTTPS_PROXY", value))).isEqualTo(expected);
  }

  @Test
  void each_scheme_has_its_own_variable() {
    assertThat(proxyFor("https://h", Map.of("HTTP_PROXY", "p", "http_proxy", "p"))).isNull();
    assertThat(proxyFor("http://h", Map.of("HTTPS_PROXY", "p", "https_proxy", "p"))).isNull();
    assertThat(proxyFor("http://h", Map.of())).isNull();
  }

  @Test
  void upper_case_comes_before_lower_case() {
    var both = Map.of("HTTP_PROXY", "upper", "http_proxy", "lower");
    assertThat(proxyFor("http://h", both)).extracting(ProxySettings.Proxy::host).isEqualTo("upper");
    var emptyUpper = Map.of("HTTP_PROXY", "", "http_proxy", "lower");
    assertThat(proxyFor("http://h", emptyUpper))
        .extracting(ProxySettings.Proxy::host)
        .isEqualTo("lower");
    var exceptions = Map.of("http_proxy", "p", "NO_PROXY", "other", "no_proxy", "h");
    assertThat(proxyFor("http://h", exceptions)).isNotNull();
    assertThat(proxyFor("http://h", Map.of("http_proxy", "p", "no_proxy", "h"))).isNull();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        // a name covers itself and its subdomains
        "http://example.com | example.com | true",
        "http://EXAMPLE.com | example.COM | true",
        "http://a.example.com | example.com | true",
        "http://badexample.com | example.com | false",
        "http://example.com.evil | example.com | false",
        // with a leading dot or *. the only the subdomains
        "http://a.example.com | .example.com | true",
        "http://example.com | .example.com | false",
        "http://a.b.example.com | *.example.com | true",
        "http://example.com | *.example.com | false",
        // a port narrows it
        "http://example.com:8080 | example.com:8080 | true",
        "http://example.com:8081 | example.com:8080 | false",
        "http://example.com | example.com:80 | true",
        "http://a.example.com:8080 | .example.com:8080 | true",
        "http://10.1.2.3:81 | 10.1.2.3:81 | true",
        "http://10.1.2.3:82 | 10.1.2.3:81 | false",
        // addresses and ranges
        "http://10.1.2.3 | 10.1.2.3 | true",
        "http://10.1.2.4 | 10.1.2.3 | false",
        "http://10.1.2.3 | 10.0.0.0/8 | true",
        "http://11.1.2.3 | 10.0.0.0/8 | false",
        "http://10.1.2.3 | 10.1.2.0/31 | false",
        "http://10.1.2.3 | 0.0.0.0/0 | true",
        "http://example.com | 0.0.0.0/0 | false",
        "http://10.1.2.3 | 10.0.0.0/99 | false",
        "http://10.1.2.3 | nonsense/8 | false",
        "http://[2001:db8::1] | 2001:db8::1 | true",
        "http://[2001:db8:0:0::1] | [2001:db8::1] | true",
        "http://[2001:db8::1]:81 | [2001:db8::1]:81 | true",
        "http://[2001:db8::1]:82 | [2001:db8::1]:81 | false",
        "http://[2001:db8::1] | 2001:db8::/32 | true",
        "http://[2001:db9::1] | 2001:db8::/32 | false",
        "http://[2001:db8::1] | 0.0.0.0/0 | false",
        "http://10.1.2.3 | 10.1.2.3: | true",
        "http://[::ffff:10.1.2.3] | 10.0.0.0/8 | true",
        // names that are internationalized
        "http://www.xn--fsq092h.com | 示例.com | true",
        "http://www.xn--fsq092h.com | .示例.com | true",
        // entries that are malformed
        "http://example.com | :80 | false",
        "http://example.com | :1 | false",
        "http://example.com | example.com: | true",
        "http://example.com | example.com:http | false",
        "http://example.com | http://example.com | false",
        "http://example.com | *example.com | false",
        "http://example.com | *:80 | false",
        "http://example.com | example.com;a | false",
        "http://example.com | 'a example.com' | false",
        // the rest
        "http://example.com | * | true",
        "http://example.com | a,*,b | true",
        "http://example.com | 'a, example.com ,b' | true",
        "http://example.com | ,, | false",
        "http://example.com | '' | false",
      })
  void no_proxy_follows_the_rules_of_go(String url, String exceptions, boolean direct) {
    var environment = Map.of("HTTP_PROXY", "p", "NO_PROXY", exceptions);
    assertThat(proxyFor(url, environment) == null).isEqualTo(direct);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "http://localhost",
        "http://LOCALHOST:1",
        "http://127.0.0.1",
        "http://127.9.9.9",
        "http://[::1]:5000"
      })
  void a_loopback_server_is_never_proxied(String url) {
    assertThat(proxyFor(url, Map.of("HTTP_PROXY", "p"))).isNull();
  }

  @Test
  void names_like_localhost_are_proxied() {
    assertThat(proxyFor("http://localhost.example", Map.of("HTTP_PROXY", "p"))).isNotNull();
    assertThat(proxyFor("http://128.0.0.1", Map.of("HTTP_PROXY", "p"))).isNotNull();
  }

  /// Go refuses to use it, also in lower case; a server that is not proxied is not affected.
  @ParameterizedTest
  @ValueSource(strings = {"HTTP_PROXY", "http_proxy"})
  void in_a_cgi_program_the_proxy_for_http_is_not_used(String name) {
    ServerUrl server = ServerUrl.parse("http://h");
    ProxySettings cgi =
        ProxySettings.fromEnvironment(
            Map.of(name, "p", "HTTPS_PROXY", "p", "NO_PROXY", "direct", "REQUEST_METHOD", "GET"));
    assertThat(cgi.proxyFor(server)).isNull();
    assertThat(cgi.refusesProxyFor(server)).isTrue();
    assertThat(cgi.proxyFor(ServerUrl.parse("https://h"))).isNotNull();
    for (String other : new String[] {"https://h", "http://direct", "http://localhost"}) {
      assertThat(cgi.refusesProxyFor(ServerUrl.parse(other))).as(other).isFalse();
    }
    ProxySettings noCgi = ProxySettings.fromEnvironment(Map.of(name, "p", "REQUEST_METHOD", ""));
    assertThat(noCgi.proxyFor(server)).isNotNull();
    assertThat(noCgi.refusesProxyFor(server)).isFalse();
  }

  /// Whoever sends the request could otherwise keep the agent from starting.
  @Test
  void in_a_cgi_program_a_bad_proxy_for_http_is_not_refused() {
    ProxySettings cgi =
        ProxySettings.fromEnvironment(Map.of("HTTP_PROXY", "ftp://x y", "REQUEST_METHOD", "GET"));
    assertThat(cgi.proxyFor(ServerUrl.parse("http://h"))).isNull();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "ftp://p",
        "http://",
        "http://p p",
        "://",
        "http://u:s3cret@p_:x",
        "http://u:s3cret/x@p:1",
        "u:s3cret/x@p:1",
        "http://u:1/s3cret@p:1",
        "http://s3cret/x@p:1",
        "http://u:#s3cret@p:1",
        "http://u:s3cret?@p:1",
        "http://u:s3cret%@p:1",
        "http://u:s3cret",
        "socks5://u:s3cretä@p"
      })
  void a_bad_proxy_is_refused_with_the_name_of_its_variable(String value) {
    for (String name : new String[] {"HTTP_PROXY", "HTTPS_PROXY"}) {
      assertThatThrownBy(() -> ProxySettings.fromEnvironment(Map.of(name, value)))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageStartingWith(name)
          .message()
          .doesNotContain("s3cret");
    }
  }

  @Test
  void a_proxy_may_have_an_underscore_in_its_name() {
    ProxySettings.Proxy proxy =
        ProxySettings.fromEnvironment(Map.of("HTTP_PROXY", "http://me:pw@squid_proxy:3128"))
            .proxyFor(ServerUrl.parse("http://main.example"));

    assertThat(proxy)
        .isEqualTo(new ProxySettings.Proxy(ProxySettings.Kind.HTTP, "squid_proxy", 3128, "me:pw"));
  }
}
