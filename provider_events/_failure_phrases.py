# SPDX-License-Identifier: MIT
"""Phrases by which failures are recognised, in lower case.

Each line has a pattern and a provider, server or client whose messages have it. Every gap in a pattern is
bounded, so that a search takes linear time.
"""

from __future__ import annotations

from typing import Final

__all__ = ["PHRASES"]

PHRASES: Final[dict[str, str]] = {
    "tokens per minute": r"""
        tokens?[ -]per[ -](?:second|min(?:ute)?|hour|day|week|month)s?\b  # Groq, OpenAI
        \b[io]?tp[md]\b  # Groq, Moonshot
        """,
    "rate": r"""
        rate[ _-]?limit  # all
        \btoo[ _]many[ _](?:\w+[ _])?requests  # HTTP, Bedrock
        \bthrottl(?:ed|ing)\b  # AWS
        (?:requests?|calls?)[ -]per[ -](?:second|minute|hour|day|month)  # Google
        \bper[ -](?:minute|hour|day)\b.{0,20}\blimit  # Anthropic
        \b(?:rp[msd]|qp[sm])\b  # MiniMax, Baidu
        \bquota\b.{0,60}\b(?:exceed|exhaust|reach|insufficient|limit)  # Google, DashScope
        \b(?:exceed|exhaust|reach|check|insufficient|out of)\w*\b.{0,60}\bquota  # OpenAI, Gemini
        resource has been exhausted  # Gemini
        resource ?exhausted  # Google
        \b(?:usage|session|concurrent|calls?|requests?|messages?) limit\b  # ChatGPT, Claude
        \b(?:requests?|calls?) (?:rate|quota|count|frequency) limit  # gateways
        \b(?:5-hour|hourly|daily|weekly|monthly)(?: (?!spending)\w+)? limit\b  # ChatGPT, Claude, Baidu
        \blimit\b.{0,30}\bper (?:minute|hour|day)  # OpenRouter
        you'?(?:ve| have) (?:hit|reached) your .{0,30}limit  # Claude
        free[- ](?:tier|models?)\b.{0,60}\b(?:limit|exhaust|per day)  # OpenRouter, DashScope
        too many tokens,? (?:please wait|per (?:second|minute|hour|day|month)|processed)  # Bedrock, Cerebras
        \b(?:rate exceeded|exceeded (?:\w+ )?rate)\b  # AWS
        \brequests?\b.{0,20}\btoo (?:quickly|fast|frequent)  # OpenAI, gateways
        \bconcurrent (?:connection|session)  # gateways
        (?:tokens|requests)perminute  # Azure
        \blimit of (?:\w+ )?(?:requests|messages)  # gateways
        (?:service tier )?capacity exceeded for this model  # Mistral
        request rate (?:increased|is) too  # DashScope
        rate increased too quickly  # DashScope
        reduce (?:the |your )?(?:request )?(?:rate|frequency)  # Azure
        \bslow down\b  # AWS
        \bconcurrency\b  # Moonshot, Together
        (?:model|credentials?)\b.{0,40}\bcool(?:ing)? ?down  # CLIProxyAPI
        \b1039\b.{0,20}\btoken limit  # MiniMax
        频率|限流|速率限制|流量限制|并发|使用上限|次数限额|过于频繁|请求过多  # Zhipu, Baidu
        """,
    "overflow": r"""
        context[ _-]?(?:length|window|size|limit)s?[ _](?:is |was |has been |been )?(?:exceed|overflow|error)  # OpenAI
        context(?:length|window)exceeded  # LiteLLM
        \bcontext[ _-]?overflow  # LM Studio, proxies
        exceed_context_size  # llama.cpp
        prompt_tokens[_ ]exceed  # Copilot
        \bexceed(?:s|ed|ing)?\b.{0,60}\bcontext[ -]?(?:window|length|size|limit|budget)  # OpenAI, Anthropic, llama.cpp
        \bexceed(?:s|ed|ing)?\b.{0,20}\bmaximum number of (?:input )?tokens  # Gemini
        \b(?:less|fewer) than (?:the )?context (?:length|window)  # Together
        \b(?:prompt|conversation|context|input) (?:is )?too (?:large|big)  # gateways
        \b(?:conversation|history) exceed  # gateways
        \bslot context\b  # llama.cpp
        \btotal number of tokens\b.{0,60}\bexceed  # gateways
        \bcontext (?:window|length|size|limit)\b.{0,40}\bexceed  # MiniMax
        \b(?:maximum|max) context (?:length|window|size|limit)  # OpenAI, vLLM, Mistral
        \b(?:model'?s?|available|supported|allowed) context (?:length|window|size|limit)(?! too small)  # llama.cpp
        \bcontext length (?:is|of) only  # vLLM, LM Studio
        \breached context length  # LM Studio
        \bcontext the overflows  # LM Studio
        \b(?:large enough|too large|too long|not fit)\b.{0,30}\bcontext  # LiteLLM
        \bmaximum (?:allowed )?(?:prompt|input|model|sequence|message) (?:token )?length  # xAI, vLLM, Poolside
        \bmaximum supported sequence length  # SambaNova
        \bmaximum allowed length.{0,3}\d+ tokens  # SGLang
        \bmaximum input (?:length|tokens)  # vLLM, Bedrock
        \b(?:long|larg|great)er than (?:the )?(?:model'?s? )?context (?:length|size)  # Together, LM Studio
        \b(?:long|larg|great)er than (?:the )?maximum (?:context|model|input) (?:length|size)  # vLLM
        \b(?:prompt|input)(?: \w+){0,3} too long  # Anthropic, Bedrock, Ollama, Baidu
        \b(?:conversation|context|request|history|message)s?(?: \w+){0,3} too long  # Perplexity, ChatGPT, gateways
        \bprompt_too_long\b  # gateways
        \btokens too long\b  # Baidu
        \b(?:prompt|input)(?:_ids)?(?: tokens?| text| size| length)?(?: \d+| \([^)]{0,40}\))? exceed  # z.ai, SGLang
        \b(?:input|prompt|text|context) (?:token (?:length|count)|tokens?)\b.{0,60}\bexceed  # Gemini, Copilot
        \b(?:requested|total|message)s? (?:token (?:length|count)|tokens?)\b.{0,60}\bexceed  # LiteLLM, DashScope
        \btokens? (?:of|in) .{0,40}\bexceed\w* max(?:imum)? (?:message )?tokens  # Doubao
        \binput tokens exceed  # OpenAI
        \b(?:input|prompt) token count\b.{0,40}\bonly supports  # Vertex AI
        \btokens in request more than max tokens  # OpenAI-compatible
        \bcurrent length is \d+ while limit is  # Cerebras
        \breduce the (?:length|size|number) of (?:the |your )?(?:\w+ )?(?:messages?|prompts?|inputs?)\b  # OpenAI
        \breduce the length of either one\b  # OpenRouter
        \breduce (?:the |your )?(?:input token count|prompt|context)\b  # Vertex AI
        \b(?:shorter|fewer) (?:input|prompt|message)s?\b  # LM Studio, SGLang, Cohere
        \bexceeded model token limit  # Kimi
        \b(?:model|input|prompt|context) token limit  # Kimi
        \btoken limit (?:is |was |has been )?exceeded  # generic
        \btoo many (?:input |prompt |total |context )?tokens\b  # Bedrock, Cohere
        \brange of input length should be  # DashScope
        \bmalformed input request: expected maxlength: \d+, actual: \d+  # Bedrock
        \binputs. tokens \+ .max_new_tokens. must be  # TGI
        \b(?:input|prompt)s?. must have (?:less|fewer) than \d+ tokens  # TGI
        \bn_keep\b.{0,20}n_ctx  # llama.cpp
        \btokens to keep from the initial prompt  # LM Studio
        \binvalid '(?:messages|input)(?:\[\d+\]\.content[^']{0,20})?': string too long  # OpenAI
        \brequest (?:entity|body|payload)?(?: is)? ?too large  # HTTP
        \bpayload too large  # HTTP
        \brequest_too_large  # Anthropic
        \brequest exceeds the maximum (?:allowed )?(?:size|number of bytes)  # Anthropic
        \brequest (?:payload |body )?size (?:has )?exceed  # Gemini, Bedrock
        上下文  # gateways
        (?:prompt|输入|请求|内容|文本).{0,12}(?:超长|过长)  # Zhipu
        (?:输入|提示词).{0,8}超  # gateways
        token ?数量?超  # iFlytek
        (?:超过|超出|大于).{0,20}(?:最大长度|长度限制|最大输入|上下文|token)  # gateways
        ^(?:\w+(?: \(\w+\))?(?: 4\d\d)?: )?(?:error code: )?4(?:00|13|22)(?: status code)?(?: \(no body\))?$  # Cerebras
        """,
    "account": r"""
        \bapi[ _-]?key(?:\b|_).{0,30}(?:not valid|invalid|incorrect|expired)  # Google, xAI
        \bapi[ _-]?key(?:\b|_).{0,30}(?:revoked|disabled|deactivated|deleted)  # gateways
        \bkey has been (?:disabled|revoked|deactivated)  # gateways
        \bapi[ _-]?key\b.{0,30}\b(?:not found|missing|required|not provided)  # gateways
        \b(?:invalid|incorrect|missing|no|no valid|expired|wrong|malformed|bad) (?:x-)?api[ _-]?key  # OpenAI, Anthropic
        \binvalid_?api_?key  # OpenAI
        \bapi_?key (?:client option|argument|must be)  # openai
        \bcredit (?:balance|limit)\b.{0,30}\b(?:low|insufficient|exceed|exhaust|reach)  # Anthropic, TokenRouter
        \b(?:exceeded|reached) (?:your |the )?credit limit  # gateways
        \b(?:insufficient|not enough|no) (?:account |usd |user )?(?:balance|credits?|funds)  # DeepSeek, MiniMax
        \binsufficient_(?:balance|credits?|funds|user_quota)  # gateways
        \b(?:requires?|need|purchase|buy|add) (?:more |additional )?credits  # OpenRouter
        \b(?:out|run out) of (?:credits|funds)  # generic
        \b(?:used|exhausted|spent|exceeded) (?:all |up )?(?:of )?(?:\w+ ){0,3}credits  # xAI, Hugging Face
        \bcredits?\b.{0,20}\b(?:exhausted|depleted|expired|used up)  # generic
        \bdoesn't have any credits  # xAI
        \bbalance (?:is )?(?:insufficient|not enough|too low|depleted|exhausted|negative)  # SiliconFlow
        \bused up (?:your|all)\b  # Poe
        \bactive (?:\w+ )?subscription\b  # xAI
        \bmembership benefits\b  # Kimi
        \bplan does not include\b  # gateways
        \bconsumer_suspended\b  # Google
        \bpayment[ _](?:is )?required  # HTTP
        \bpayment method\b|\bcard was declined  # gateways
        \b(?:trial|subscription|plan)\b.{0,20}\b(?:expired|required)  # gateways
        \benough (?:credits|balance|funds)  # gateways
        \bbilling[ _](?:error|hard[ _]limit|not active|is (?:not|disabled)|issue)  # OpenAI
        \b(?:requires?|enable) billing  # Google
        \b(?:account|organization|team|consumer)\b.{0,30}\b(?:(?:not |in)active|(?:deactiv|termin)ated)  # OpenAI
        \b(?:account|organization|team|consumer)\b.{0,30}\b(?:suspended|disabled|blocked|locked|banned)  # Anthropic
        \b(?:account|organization)\b.{0,30}\brestricted  # Groq
        \baccount\b.{0,30}\b(?:overdue|in arrears|good standing)  # DashScope
        \boverdue[- ]payment  # DashScope
        \bspending limit  # xAI
        \bkey limit exceeded  # OpenRouter
        余额|欠费|充值|额度不足|额度已用|令牌|api ?key.{0,6}(?:无效|错误|过期)  # Zhipu, new-api
        \barrears\b  # DashScope
        """,
    "auth": r"""
        \bunauthori[sz]ed\b  # HTTP
        \bunauthenticated\b  # gRPC
        \bnot authenticated\b  # FastAPI
        \bvalidate credentials  # FastAPI
        \b(?:only|not) authori[sz]ed\b  # AWS, Anthropic
        \borganization must be verified  # OpenAI
        \bonly available for coding agents  # Kimi
        \bunregistered callers  # Google
        \bauthorization header  # gateways
        \bconfig profile\b  # botocore
        \bforbidden\b  # HTTP
        \bauthenticat(?:ion|e)\b  # DeepSeek, Moonshot
        \binvalid (?:api|auth\w*|bearer|access|security|session|refresh|id)? ?(?:token|credentials?)  # Together
        \b(?:auth|oauth|bearer|access|security|session|refresh|id)[ _]token\b.{0,40}\b(?:invalid|expired|revoked)  # AWS
        \btoken (?:is |has |was )?(?:been )?(?:expired|invalid|invalidated|revoked|malformed)\b  # AWS
        \b(?:session|credentials?)\b.{0,60}\bexpired\b  # AWS
        \bpermission (?:'[^']{1,80}' )?denied  # Google
        \bpermission_?denied  # gRPC
        \b(?:insufficient|missing|no) (?:permissions?|scopes?)\b  # OpenAI
        \b(?:access|iam)\b.{0,20}\bdenied  # AWS
        (?<!or you )\b(?:don't|do not|doesn't|does not) have (?:permission|access)  # Bedrock
        \bsecurity token included in the request  # AWS
        \bsignature\b.{0,60}\bdoes not match  # AWS
        \b(?:unable|failed) to (?:locate|load|find|retrieve|refresh) .{0,20}(?:credentials|token)  # botocore, Azure
        \b(?:no|default|missing) (?:\w+ ){0,2}credentials  # OpenRouter, google-auth
        \binvalid_grant\b  # OAuth
        (?:^|: )user not found  # OpenRouter
        \blogin fail  # MiniMax
        \bmust be a member of an organization  # OpenAI
        \b(?:log ?in|sign ?in|re-?auth\w*) (?:again|required|needed|is needed)  # google-auth
        \b(?:country|region|territory)[^.]{0,40}\bnot supported  # OpenAI
        \bunsupported (?:countr|region)  # Anthropic
        未授权|鉴权|身份验证|无权|认证失败  # Zhipu
        """,
    "server": r"""
        \bover ?load(?:ed|ing)?\b  # Anthropic, Moonshot
        \b(?:is|are|too|server|system|service|currently) (?:\w+ ){0,2}busy\b  # DeepSeek, SiliconFlow
        \b(?:temporarily|currently|service|is) ?unavailable  # HTTP
        \b(?:at|over|out of|no|insufficient) (?:\w+ )?capacity  # Codex, Bedrock
        \bcapacity (?:issues?|constraints?)  # gateways
        \binsufficient[_ ]system[_ ]resource  # DeepSeek
        \bbuffer limit while retrying upstream  # envoy
        \bhigh (?:demand|load|traffic)  # Gemini
        \binternal (?:server )?(?:error|failure|exception)  # HTTP
        \bapi_error\b  # Anthropic
        \bupstream[_ ](?:\w+ )?(?:error|request|connect|server|service|timeout|failure|is|returned)  # envoy, gateways
        \bno healthy upstream  # envoy
        \bbad gateway  # HTTP
        \bgateway[ -]time-?out  # HTTP
        \bserver (?:had an )?error\b  # OpenAI
        \bbackend error  # Google
        \b(?:error|issue|problem) (?:\w+ )?(?:occurred )?while processing (?:your|the) request  # OpenAI
        \bunable to (?:process|handle) (?:your|the|additional) request  # Bedrock, Ark, Groq
        \bunexpected (?:error|condition)  # Bedrock, HTTP
        \bsomething went wrong  # generic
        \bprovider returned error  # OpenRouter
        \bdeadline expired before operation  # Vertex AI
        \bmodel\b.{0,60}\b(?:is loading|currently loading|still loading|not ready|warming up)  # Hugging Face
        (?:^|: )loading model\b  # llama.cpp
        \bno available (?:channel|server|worker|backend|account|instance)  # new-api
        \bno (?:workers?|instances?|replicas?) (?:are )?available  # SGLang
        \b(?:cuda|out of memory|enginecore|engine (?:is )?dead)\b  # vLLM
        \brunner (?:process )?has (?:unexpectedly )?(?:terminated|stopped)  # Ollama
        \bweb server is (?:down|returning)  # Cloudflare
        \b(?:outage|degraded|technical difficult|(?:under|for) maintenance)  # gateways
        \bfailed to respond  # gateways
        访问量过大|繁忙|服务器?(?:内部)?错误|内部错误|负载|无可用渠道  # Zhipu, new-api
        """,
    "network": r"""
        \bconnection\b.{0,30}\b(?:error|refused|reset|aborted|closed|broken?|failed|timed out)  # SDKs, Python, urllib3
        \bconnection\b.{0,30}\b(?:lost|dropped|terminated|interrupted)  # gateways
        \bconnection (?:to .{0,60} )?was closed  # botocore
        \b(?:closed|lost|dropped|reset) (?:the )?connection  # http.client
        \bconnect call failed  # asyncio
        \b(?:could not|cannot|can't|failed to|unable to|error) connect  # botocore, aiohttp, Ollama
        \ball connection attempts failed  # httpx
        \bmax retries exceeded  # requests
        \b(?:server|client|peer|remote|stream|socket)(?: unexpectedly)? (?:disconnected|closed|hung up)  # httpx
        \bother side closed  # undici
        \bincomplete (?:chunked )?read  # httpx
        \bincompleteread\b  # http.client
        \binvalidchunk(?:length|ed)  # urllib3
        \bpayload is not completed  # aiohttp
        \bended (?:prematurely|without|before|unexpectedly)  # requests, SDKs
        \bpremature(?:ly)?\b  # node-fetch
        \bwithout sending (?:any |a )?(?:chunks?|response|complete)  # anthropic
        \b(?:broke|cut) off before  # this package
        \bbefore message completed  # hyper
        \bstream (?:was )?(?:closed|reset|interrupted|terminated|error|idle)  # Codex
        \b(?:error sending request|error decoding response body|error reading a body)  # reqwest
        \beconn(?:reset|refused|aborted)\b  # node
        \be(?:timedout|sockettimedout|pipe|host(?:unreach|down)|net(?:unreach|down|reset)|notfound|ai_again)\b  # node
        \bund_err_\w  # undici
        \bsocket (?:hang up|connection|error)  # node
        \bfetch failed\b  # undici
        \bfailed to fetch\b  # browsers
        \bnetwork[ _](?:error|is unreachable|connection|request failed|issue)  # all
        (?:^|: )terminated$  # undici
        \btimed?[ -]?out\b  # all
        \btimeout\b  # all
        \bdeadline exceeded  # Go
        \bname or service not known  # Linux
        \bname resolution  # Linux, urllib3
        \bnodename nor servname  # macOS
        \bgetaddrinfo\b  # all
        \bno (?:route to host|address associated|such host)  # Linux, Go
        \b(?:host|network) (?:is )?(?:unreachable|down)\b  # Linux, Windows
        \bunable to reach\b  # gateways
        \bdns\b  # reqwest
        \berr_(?:connection|network|name|timed|socket|http2)  # browsers
        \bfailed to (?:resolve|lookup|look up)  # urllib3, reqwest
        \b(?:unexpected eof|eof occurred|broken pipe|unexpected end of (?:file|stream))  # Python, Go
        \b(?:ssl|tls)\b.{0,20}\b(?:error|alert|handshake|certificate|failed|version)  # OpenSSL
        \b(?:certificate|bad record mac)\b  # OpenSSL, node
        \bwebsocket.?(?:closed|error)  # Codex
        \bdid not get a response  # Bedrock
        \bnot closed cleanly  # curl
        \b(?:streamreset|connectionterminated)\b  # h2
        \[ssl[:\]]  # Python
        网络错误|连接超时|请求超时  # Zhipu
        """,
    "model": r"""
        \bcontent[ _-]?(?:filter|polic|management|moderation)  # Azure, OpenAI
        \bmodel\b.{0,80}\b(?:not found|does not exist|not exist|not supported)  # all
        \b(?:unknown|invalid|unsupported|no such) model\b  # all
        \bno (?:allowed providers|endpoints) (?:are |found)  # OpenRouter
        """,
}
