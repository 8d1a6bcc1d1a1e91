import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.Base64;
import java.util.concurrent.CompletableFuture;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Delivers orders as many services do: it keeps a token, learns from a 403 that it has ended, fetches another and repeats. */
public final class StatusQuo {
  private static final Pattern ACCESS_TOKEN = Pattern.compile("\"access_token\"\\s*:\\s*\"([^\"]+)\"");

  private final HttpClient client = HttpClient.newHttpClient();
  private final URI url;
  private CompletableFuture<String> token;

  private StatusQuo(URI url) {
    this.url = url;
    token = fetchToken();
  }

  /** Takes what {@link Orders} takes. The token endpoint and the credentials are in the environment. */
  public static void main(String[] arguments) throws Exception {
    StatusQuo service = new StatusQuo(URI.create(arguments[0]));
    Delivery.run(arguments, service::deliver);
  }

  private CompletableFuture<Integer> deliver(String key, String order) {
    CompletableFuture<String> used = current();
    return post(key, order, used).thenCompose(status ->
        status == 403 ? post(key, order, another(used)) : CompletableFuture.completedFuture(status));
  }

  private CompletableFuture<Integer> post(String key, String order, CompletableFuture<String> bearer) {
    return bearer.thenCompose(value -> {
      HttpRequest request = HttpRequest.newBuilder(url)
          .header("Authorization", "Bearer " + value)
          .header("Content-Type", "application/json")
          .header("Idempotency-Key", key)
          .POST(HttpRequest.BodyPublishers.ofString(order))
          .build();
      return client.sendAsync(request, BodyHandlers.discarding()).thenApply(HttpResponse::statusCode);
    });
  }

  private synchronized CompletableFuture<String> current() {
    return token;
  }

  /** At its best: refusals that come together share one fetch. */
  private synchronized CompletableFuture<String> another(CompletableFuture<String> refused) {
    if (token == refused) token = fetchToken();
    return token;
  }

  private CompletableFuture<String> fetchToken() {
    String credentials = System.getenv("CLIENT_ID") + ":" + System.getenv("CLIENT_SECRET");
    HttpRequest request = HttpRequest.newBuilder(URI.create(System.getenv("TOKEN_ENDPOINT")))
        .header("Authorization", "Basic " + Base64.getEncoder().encodeToString(credentials.getBytes()))
        .header("Content-Type", "application/x-www-form-urlencoded")
        .POST(HttpRequest.BodyPublishers.ofString("grant_type=client_credentials&scope=" + System.getenv("SCOPE")))
        .build();
    return client.sendAsync(request, BodyHandlers.ofString()).thenApply(response -> {
      Matcher matcher = ACCESS_TOKEN.matcher(response.body());
      if (!matcher.find()) throw new IllegalStateException("no token: status " + response.statusCode());
      return matcher.group(1);
    });
  }
}
