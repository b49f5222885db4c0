"""Who may sign in: one user, by password, by token, or by key pair."""

from dataclasses import dataclass
from typing import Any

import jwt


@dataclass(frozen=True)
class User:
    account: str
    name: str
    # Also what programmatic access tokens and those of OAuth are to be.
    password: str
    # PEM of the RSA key that tokens of a key pair are to be signed with.
    public_key: str

    def is_known(self, data: dict[str, Any]) -> bool:
        """`data` of a login request."""
        if str(data.get("ACCOUNT_NAME", "")).upper() != self.account.upper():
            return False
        authenticator, token = data.get("AUTHENTICATOR"), data.get("TOKEN")
        if authenticator == "SNOWFLAKE_JWT":
            return self._signed(token)
        if authenticator == "OAUTH":
            return token == self.password
        is_name = str(data.get("LOGIN_NAME", "")).upper() == self.name.upper()
        return is_name and (data.get("PASSWORD") or token) == self.password

    def _signed(self, token: str) -> bool:
        try:
            # The driver tells times in milliseconds, which would be far in the future.
            options = {"verify_iat": False}
            claims = jwt.decode(token, self.public_key, algorithms=["RS256"], options=options)
        except jwt.InvalidTokenError:
            return False
        return claims.get("sub") == f"{self.account}.{self.name}".upper()
