/*! StackChain, Apache-2.0. With lit:

BSD 3-Clause License

Copyright (c) 2017 Google LLC. All rights reserved.

Redistribution and use in source and binary forms, with or without
modification, are permitted provided that the following conditions are met:

1. Redistributions of source code must retain the above copyright notice, this
   list of conditions and the following disclaimer.

2. Redistributions in binary form must reproduce the above copyright notice,
   this list of conditions and the following disclaimer in the documentation
   and/or other materials provided with the distribution.

3. Neither the name of the copyright holder nor the names of its
   contributors may be used to endorse or promote products derived from
   this software without specific prior written permission.

THIS SOFTWARE IS PROVIDED BY THE COPYRIGHT HOLDERS AND CONTRIBUTORS "AS IS"
AND ANY EXPRESS OR IMPLIED WARRANTIES, INCLUDING, BUT NOT LIMITED TO, THE
IMPLIED WARRANTIES OF MERCHANTABILITY AND FITNESS FOR A PARTICULAR PURPOSE ARE
DISCLAIMED. IN NO EVENT SHALL THE COPYRIGHT HOLDER OR CONTRIBUTORS BE LIABLE
FOR ANY DIRECT, INDIRECT, INCIDENTAL, SPECIAL, EXEMPLARY, OR CONSEQUENTIAL
DAMAGES (INCLUDING, BUT NOT LIMITED TO, PROCUREMENT OF SUBSTITUTE GOODS OR
SERVICES; LOSS OF USE, DATA, OR PROFITS; OR BUSINESS INTERRUPTION) HOWEVER
CAUSED AND ON ANY THEORY OF LIABILITY, WHETHER IN CONTRACT, STRICT LIABILITY,
OR TORT (INCLUDING NEGLIGENCE OR OTHERWISE) ARISING IN ANY WAY OUT OF THE USE
OF THIS SOFTWARE, EVEN IF ADVISED OF THE POSSIBILITY OF SUCH DAMAGE.
*/

(function(){function e(e){let i=s(e),u=s(i.metadata),d=s(i.status),f=o(d.latestRun)?r(d.latestRun):null,p=c(d.stacks).map(n).filter(e=>e.id!==``),m=Date.parse(l(s(d.graph).resolvedTime)),h=f!==null&&f.startTime!==``&&m>=Date.parse(f.startTime);return{namespace:l(u.namespace),name:l(u.name),ready:t(d).find(e=>e.type===`Ready`)??null,run:f,nextTime:l(s(d.schedule).nextTime),history:c(d.history).map(r),stacks:h?a(p):[],isBeforeStacks:f!==null&&!h}}function t(e){return c(e.conditions).map(e=>{let t=s(e);return{type:l(t.type),status:l(t.status),reason:l(t.reason),message:l(t.message)}})}function n(e){let t=s(e),n=l(t.id),r=s(t.delta),a=s(t.heldBy);return{id:n,name:l(t.name)||n,level:Math.max(0,Math.trunc(d(t.level,0))),phase:l(t.phase)||`Pending`,dependsOn:c(t.dependsOn).filter(e=>typeof e==`string`),reason:l(t.reason),message:l(t.message),runId:l(t.runId),runSource:l(t.runSource),runState:l(t.runState),runUrl:i(t.runUrl),attempts:d(t.attempts,1),startTime:l(t.startTime),completionTime:l(t.completionTime),delta:o(t.delta)?{added:d(r.added,0),changed:d(r.changed,0),deleted:d(r.deleted,0)}:null,blockedBy:l(t.blockedBy),heldBy:o(t.heldBy)?{needsPerson:a.needsPerson===!0,url:i(a.url)}:null,unusedRuns:c(t.unusedRuns).map(e=>{let t=s(e);return{runId:l(t.runId),runState:l(t.runState),runUrl:i(t.runUrl)}})}}function r(e){let t=s(e);return{number:d(t.number,0),cause:l(t.cause),operation:l(t.operation)||`Apply`,phase:l(t.phase)||`Pending`,reason:l(t.reason),message:l(t.message),progress:l(t.progress),startTime:l(t.startTime),completionTime:l(t.completionTime),estimatedCompletionTime:l(t.estimatedCompletionTime),workflowUrl:i(t.workflowUrl),changes:l(s(t.changes).text),summary:Object.fromEntries(Object.entries(s(t.summary)).filter(e=>typeof e[1]==`number`))}}function i(e){if(typeof e!=`string`||!URL.canParse(e))return``;let t=new URL(e);return(t.protocol===`https:`||t.protocol===`http:`)&&t.username===``&&t.password===``?t.href:``}function a(e){return[...new Map(e.map(e=>[e.id,e])).values()]}function o(e){return typeof e==`object`&&!!e&&!Array.isArray(e)}function s(e){return o(e)?e:{}}function c(e){return Array.isArray(e)?e:[]}function l(e){return typeof e==`string`?e:``}function u(e,t){return Object.hasOwn(e,t)?e[t]:void 0}function d(e,t){return typeof e==`number`&&Number.isFinite(e)?e:t}var f=globalThis,p=f.ShadowRoot&&(f.ShadyCSS===void 0||f.ShadyCSS.nativeShadow)&&`adoptedStyleSheets`in Document.prototype&&`replace`in CSSStyleSheet.prototype,m=Symbol(),h=new WeakMap,ee=class{constructor(e,t,n){if(this._$cssResult$=!0,n!==m)throw Error("CSSResult is not constructable. Use `unsafeCSS` or `css` instead.");this.cssText=e,this.t=t}get styleSheet(){let e=this.o,t=this.t;if(p&&e===void 0){let n=t!==void 0&&t.length===1;n&&(e=h.get(t)),e===void 0&&((this.o=e=new CSSStyleSheet).replaceSync(this.cssText),n&&h.set(t,e))}return e}toString(){return this.cssText}},te=e=>new ee(typeof e==`string`?e:e+``,void 0,m),g=(e,...t)=>new ee(e.length===1?e[0]:t.reduce((t,n,r)=>t+(e=>{if(!0===e._$cssResult$)return e.cssText;if(typeof e==`number`)return e;throw Error(`Value passed to 'css' function must be a 'css' function result: `+e+`. Use 'unsafeCSS' to pass non-literal values, but take care to ensure page security.`)})(n)+e[r+1],e[0]),e,m),ne=(e,t)=>{if(p)e.adoptedStyleSheets=t.map(e=>e instanceof CSSStyleSheet?e:e.styleSheet);else for(let n of t){let t=document.createElement(`style`),r=f.litNonce;r!==void 0&&t.setAttribute(`nonce`,r),t.textContent=n.cssText,e.appendChild(t)}},re=p?e=>e:e=>e instanceof CSSStyleSheet?(e=>{let t=``;for(let n of e.cssRules)t+=n.cssText;return te(t)})(e):e,{is:ie,defineProperty:ae,getOwnPropertyDescriptor:oe,getOwnPropertyNames:se,getOwnPropertySymbols:ce,getPrototypeOf:le}=Object,_=globalThis,ue=_.trustedTypes,de=ue?ue.emptyScript:``,fe=_.reactiveElementPolyfillSupport,v=(e,t)=>e,y={toAttribute(e,t){switch(t){case Boolean:e=e?de:null;break;case Object:case Array:e=e==null?e:JSON.stringify(e)}return e},fromAttribute(e,t){let n=e;switch(t){case Boolean:n=e!==null;break;case Number:n=e===null?null:Number(e);break;case Object:case Array:try{n=JSON.parse(e)}catch{n=null}}return n}},b=(e,t)=>!ie(e,t),pe={attribute:!0,type:String,converter:y,reflect:!1,useDefault:!1,hasChanged:b};Symbol.metadata??=Symbol(`metadata`),_.litPropertyMetadata??=new WeakMap;var x=class extends HTMLElement{static addInitializer(e){this._$Ei(),(this.l??=[]).push(e)}static get observedAttributes(){return this.finalize(),this._$Eh&&[...this._$Eh.keys()]}static createProperty(e,t=pe){if(t.state&&(t.attribute=!1),this._$Ei(),this.prototype.hasOwnProperty(e)&&((t=Object.create(t)).wrapped=!0),this.elementProperties.set(e,t),!t.noAccessor){let n=Symbol(),r=this.getPropertyDescriptor(e,n,t);r!==void 0&&ae(this.prototype,e,r)}}static getPropertyDescriptor(e,t,n){let{get:r,set:i}=oe(this.prototype,e)??{get(){return this[t]},set(e){this[t]=e}};return{get:r,set(t){let a=r?.call(this);i?.call(this,t),this.requestUpdate(e,a,n)},configurable:!0,enumerable:!0}}static getPropertyOptions(e){return this.elementProperties.get(e)??pe}static _$Ei(){if(this.hasOwnProperty(v(`elementProperties`)))return;let e=le(this);e.finalize(),e.l!==void 0&&(this.l=[...e.l]),this.elementProperties=new Map(e.elementProperties)}static finalize(){if(this.hasOwnProperty(v(`finalized`)))return;if(this.finalized=!0,this._$Ei(),this.hasOwnProperty(v(`properties`))){let e=this.properties,t=[...se(e),...ce(e)];for(let n of t)this.createProperty(n,e[n])}let e=this[Symbol.metadata];if(e!==null){let t=litPropertyMetadata.get(e);if(t!==void 0)for(let[e,n]of t)this.elementProperties.set(e,n)}this._$Eh=new Map;for(let[e,t]of this.elementProperties){let n=this._$Eu(e,t);n!==void 0&&this._$Eh.set(n,e)}this.elementStyles=this.finalizeStyles(this.styles)}static finalizeStyles(e){let t=[];if(Array.isArray(e)){let n=new Set(e.flat(1/0).reverse());for(let e of n)t.unshift(re(e))}else e!==void 0&&t.push(re(e));return t}static _$Eu(e,t){let n=t.attribute;return!1===n?void 0:typeof n==`string`?n:typeof e==`string`?e.toLowerCase():void 0}constructor(){super(),this._$Ep=void 0,this.isUpdatePending=!1,this.hasUpdated=!1,this._$Em=null,this._$Ev()}_$Ev(){this._$ES=new Promise(e=>this.enableUpdating=e),this._$AL=new Map,this._$E_(),this.requestUpdate(),this.constructor.l?.forEach(e=>e(this))}addController(e){(this._$EO??=new Set).add(e),this.renderRoot!==void 0&&this.isConnected&&e.hostConnected?.()}removeController(e){this._$EO?.delete(e)}_$E_(){let e=new Map,t=this.constructor.elementProperties;for(let n of t.keys())this.hasOwnProperty(n)&&(e.set(n,this[n]),delete this[n]);e.size>0&&(this._$Ep=e)}createRenderRoot(){let e=this.shadowRoot??this.attachShadow(this.constructor.shadowRootOptions);return ne(e,this.constructor.elementStyles),e}connectedCallback(){this.renderRoot??=this.createRenderRoot(),this.enableUpdating(!0),this._$EO?.forEach(e=>e.hostConnected?.())}enableUpdating(e){}disconnectedCallback(){this._$EO?.forEach(e=>e.hostDisconnected?.())}attributeChangedCallback(e,t,n){this._$AK(e,n)}_$ET(e,t){let n=this.constructor.elementProperties.get(e),r=this.constructor._$Eu(e,n);if(r!==void 0&&!0===n.reflect){let i=(n.converter?.toAttribute===void 0?y:n.converter).toAttribute(t,n.type);this._$Em=e,i==null?this.removeAttribute(r):this.setAttribute(r,i),this._$Em=null}}_$AK(e,t){let n=this.constructor,r=n._$Eh.get(e);if(r!==void 0&&this._$Em!==r){let e=n.getPropertyOptions(r),i=typeof e.converter==`function`?{fromAttribute:e.converter}:e.converter?.fromAttribute===void 0?y:e.converter;this._$Em=r;let a=i.fromAttribute(t,e.type);this[r]=a??this._$Ej?.get(r)??a,this._$Em=null}}requestUpdate(e,t,n,r=!1,i){if(e!==void 0){let a=this.constructor;if(!1===r&&(i=this[e]),n??=a.getPropertyOptions(e),!((n.hasChanged??b)(i,t)||n.useDefault&&n.reflect&&i===this._$Ej?.get(e)&&!this.hasAttribute(a._$Eu(e,n))))return;this.C(e,t,n)}!1===this.isUpdatePending&&(this._$ES=this._$EP())}C(e,t,{useDefault:n,reflect:r,wrapped:i},a){n&&!(this._$Ej??=new Map).has(e)&&(this._$Ej.set(e,a??t??this[e]),!0!==i||a!==void 0)||(this._$AL.has(e)||(this.hasUpdated||n||(t=void 0),this._$AL.set(e,t)),!0===r&&this._$Em!==e&&(this._$Eq??=new Set).add(e))}async _$EP(){this.isUpdatePending=!0;try{await this._$ES}catch(e){Promise.reject(e)}let e=this.scheduleUpdate();return e!=null&&await e,!this.isUpdatePending}scheduleUpdate(){return this.performUpdate()}performUpdate(){if(!this.isUpdatePending)return;if(!this.hasUpdated){if(this.renderRoot??=this.createRenderRoot(),this._$Ep){for(let[e,t]of this._$Ep)this[e]=t;this._$Ep=void 0}let e=this.constructor.elementProperties;if(e.size>0)for(let[t,n]of e){let{wrapped:e}=n,r=this[t];!0!==e||this._$AL.has(t)||r===void 0||this.C(t,void 0,n,r)}}let e=!1,t=this._$AL;try{e=this.shouldUpdate(t),e?(this.willUpdate(t),this._$EO?.forEach(e=>e.hostUpdate?.()),this.update(t)):this._$EM()}catch(t){throw e=!1,this._$EM(),t}e&&this._$AE(t)}willUpdate(e){}_$AE(e){this._$EO?.forEach(e=>e.hostUpdated?.()),this.hasUpdated||(this.hasUpdated=!0,this.firstUpdated(e)),this.updated(e)}_$EM(){this._$AL=new Map,this.isUpdatePending=!1}get updateComplete(){return this.getUpdateComplete()}getUpdateComplete(){return this._$ES}shouldUpdate(e){return!0}update(e){this._$Eq&&=this._$Eq.forEach(e=>this._$ET(e,this[e])),this._$EM()}updated(e){}firstUpdated(e){}};x.elementStyles=[],x.shadowRootOptions={mode:`open`},x[v(`elementProperties`)]=new Map,x[v(`finalized`)]=new Map,fe?.({ReactiveElement:x}),(_.reactiveElementVersions??=[]).push(`2.1.2`);var me=globalThis,he=e=>e,S=me.trustedTypes,ge=S?S.createPolicy(`lit-html`,{createHTML:e=>e}):void 0,_e=`$lit$`,C=`lit$${Math.random().toFixed(9).slice(2)}$`,ve=`?`+C,ye=`<${ve}>`,w=document,T=()=>w.createComment(``),E=e=>e===null||typeof e!=`object`&&typeof e!=`function`,be=Array.isArray,xe=e=>be(e)||typeof e?.[Symbol.iterator]==`function`,Se=`[ 	
\f\r]`,D=/<(?:(!--|\/[^a-zA-Z])|(\/?[a-zA-Z][^>\s]*)|(\/?$))/g,Ce=/-->/g,we=/>/g,O=RegExp(`>|${Se}(?:([^\\s"'>=/]+)(${Se}*=${Se}*(?:[^ \t\n\f\r"'\`<>=]|("|')|))|$)`,`g`),Te=/'/g,Ee=/"/g,De=/^(?:script|style|textarea|title)$/i,Oe=e=>(t,...n)=>({_$litType$:e,strings:t,values:n}),k=Oe(1),A=Oe(2),j=Symbol.for(`lit-noChange`),M=Symbol.for(`lit-nothing`),ke=new WeakMap,N=w.createTreeWalker(w,129);function Ae(e,t){if(!be(e)||!e.hasOwnProperty(`raw`))throw Error(`invalid template strings array`);return ge===void 0?t:ge.createHTML(t)}var je=(e,t)=>{let n=e.length-1,r=[],i,a=t===2?`<svg>`:t===3?`<math>`:``,o=D;for(let t=0;t<n;t++){let n=e[t],s,c,l=-1,u=0;for(;u<n.length&&(o.lastIndex=u,c=o.exec(n),c!==null);)u=o.lastIndex,o===D?c[1]===`!--`?o=Ce:c[1]===void 0?c[2]===void 0?c[3]!==void 0&&(o=O):(De.test(c[2])&&(i=RegExp(`</`+c[2],`g`)),o=O):o=we:o===O?c[0]===`>`?(o=i??D,l=-1):c[1]===void 0?l=-2:(l=o.lastIndex-c[2].length,s=c[1],o=c[3]===void 0?O:c[3]===`"`?Ee:Te):o===Ee||o===Te?o=O:o===Ce||o===we?o=D:(o=O,i=void 0);let d=o===O&&e[t+1].startsWith(`/>`)?` `:``;a+=o===D?n+ye:l>=0?(r.push(s),n.slice(0,l)+_e+n.slice(l)+C+d):n+C+(l===-2?t:d)}return[Ae(e,a+(e[n]||`<?>`)+(t===2?`</svg>`:t===3?`</math>`:``)),r]},Me=class e{constructor({strings:t,_$litType$:n},r){let i;this.parts=[];let a=0,o=0,s=t.length-1,c=this.parts,[l,u]=je(t,n);if(this.el=e.createElement(l,r),N.currentNode=this.el.content,n===2||n===3){let e=this.el.content.firstChild;e.replaceWith(...e.childNodes)}for(;(i=N.nextNode())!==null&&c.length<s;){if(i.nodeType===1){if(i.hasAttributes())for(let e of i.getAttributeNames())if(e.endsWith(_e)){let t=u[o++],n=i.getAttribute(e).split(C),r=/([.?@])?(.*)/.exec(t);c.push({type:1,index:a,name:r[2],strings:n,ctor:r[1]===`.`?Pe:r[1]===`?`?Fe:r[1]===`@`?Ie:I}),i.removeAttribute(e)}else e.startsWith(C)&&(c.push({type:6,index:a}),i.removeAttribute(e));if(De.test(i.tagName)){let e=i.textContent.split(C),t=e.length-1;if(t>0){i.textContent=S?S.emptyScript:``;for(let n=0;n<t;n++)i.append(e[n],T()),N.nextNode(),c.push({type:2,index:++a});i.append(e[t],T())}}}else if(i.nodeType===8){if(i.data===ve)c.push({type:2,index:a});else{let e=-1;for(;(e=i.data.indexOf(C,e+1))!==-1;)c.push({type:7,index:a}),e+=C.length-1}}a++}}static createElement(e,t){let n=w.createElement(`template`);return n.innerHTML=e,n}};function P(e,t,n=e,r){if(t===j)return t;let i=r===void 0?n._$Cl:n._$Co?.[r],a=E(t)?void 0:t._$litDirective$;return i?.constructor!==a&&(i?._$AO?.(!1),a===void 0?i=void 0:(i=new a(e),i._$AT(e,n,r)),r===void 0?n._$Cl=i:(n._$Co??=[])[r]=i),i!==void 0&&(t=P(e,i._$AS(e,t.values),i,r)),t}var Ne=class{constructor(e,t){this._$AV=[],this._$AN=void 0,this._$AD=e,this._$AM=t}get parentNode(){return this._$AM.parentNode}get _$AU(){return this._$AM._$AU}u(e){let{el:{content:t},parts:n}=this._$AD,r=(e?.creationScope??w).importNode(t,!0);N.currentNode=r;let i=N.nextNode(),a=0,o=0,s=n[0];for(;s!==void 0;){if(a===s.index){let t;s.type===2?t=new F(i,i.nextSibling,this,e):s.type===1?t=new s.ctor(i,s.name,s.strings,this,e):s.type===6&&(t=new Le(i,this,e)),this._$AV.push(t),s=n[++o]}a!==s?.index&&(i=N.nextNode(),a++)}return N.currentNode=w,r}p(e){let t=0;for(let n of this._$AV)n!==void 0&&(n.strings===void 0?n._$AI(e[t]):(n._$AI(e,n,t),t+=n.strings.length-2)),t++}},F=class e{get _$AU(){return this._$AM?._$AU??this._$Cv}constructor(e,t,n,r){this.type=2,this._$AH=M,this._$AN=void 0,this._$AA=e,this._$AB=t,this._$AM=n,this.options=r,this._$Cv=r?.isConnected??!0}get parentNode(){let e=this._$AA.parentNode,t=this._$AM;return t!==void 0&&e?.nodeType===11&&(e=t.parentNode),e}get startNode(){return this._$AA}get endNode(){return this._$AB}_$AI(e,t=this){e=P(this,e,t),E(e)?e===M||e==null||e===``?(this._$AH!==M&&this._$AR(),this._$AH=M):e!==this._$AH&&e!==j&&this._(e):e._$litType$===void 0?e.nodeType===void 0?xe(e)?this.k(e):this._(e):this.T(e):this.$(e)}O(e){return this._$AA.parentNode.insertBefore(e,this._$AB)}T(e){this._$AH!==e&&(this._$AR(),this._$AH=this.O(e))}_(e){this._$AH!==M&&E(this._$AH)?this._$AA.nextSibling.data=e:this.T(w.createTextNode(e)),this._$AH=e}$(e){let{values:t,_$litType$:n}=e,r=typeof n==`number`?this._$AC(e):(n.el===void 0&&(n.el=Me.createElement(Ae(n.h,n.h[0]),this.options)),n);if(this._$AH?._$AD===r)this._$AH.p(t);else{let e=new Ne(r,this),n=e.u(this.options);e.p(t),this.T(n),this._$AH=e}}_$AC(e){let t=ke.get(e.strings);return t===void 0&&ke.set(e.strings,t=new Me(e)),t}k(t){be(this._$AH)||(this._$AH=[],this._$AR());let n=this._$AH,r,i=0;for(let a of t)i===n.length?n.push(r=new e(this.O(T()),this.O(T()),this,this.options)):r=n[i],r._$AI(a),i++;i<n.length&&(this._$AR(r&&r._$AB.nextSibling,i),n.length=i)}_$AR(e=this._$AA.nextSibling,t){for(this._$AP?.(!1,!0,t);e!==this._$AB;){let t=he(e).nextSibling;he(e).remove(),e=t}}setConnected(e){this._$AM===void 0&&(this._$Cv=e,this._$AP?.(e))}},I=class{get tagName(){return this.element.tagName}get _$AU(){return this._$AM._$AU}constructor(e,t,n,r,i){this.type=1,this._$AH=M,this._$AN=void 0,this.element=e,this.name=t,this._$AM=r,this.options=i,n.length>2||n[0]!==``||n[1]!==``?(this._$AH=Array(n.length-1).fill(new String),this.strings=n):this._$AH=M}_$AI(e,t=this,n,r){let i=this.strings,a=!1;if(i===void 0)e=P(this,e,t,0),a=!E(e)||e!==this._$AH&&e!==j,a&&(this._$AH=e);else{let r=e,o,s;for(e=i[0],o=0;o<i.length-1;o++)s=P(this,r[n+o],t,o),s===j&&(s=this._$AH[o]),a||=!E(s)||s!==this._$AH[o],s===M?e=M:e!==M&&(e+=(s??``)+i[o+1]),this._$AH[o]=s}a&&!r&&this.j(e)}j(e){e===M?this.element.removeAttribute(this.name):this.element.setAttribute(this.name,e??``)}},Pe=class extends I{constructor(){super(...arguments),this.type=3}j(e){this.element[this.name]=e===M?void 0:e}},Fe=class extends I{constructor(){super(...arguments),this.type=4}j(e){this.element.toggleAttribute(this.name,!!e&&e!==M)}},Ie=class extends I{constructor(e,t,n,r,i){super(e,t,n,r,i),this.type=5}_$AI(e,t=this){if((e=P(this,e,t,0)??M)===j)return;let n=this._$AH,r=e===M&&n!==M||e.capture!==n.capture||e.once!==n.once||e.passive!==n.passive,i=e!==M&&(n===M||r);r&&this.element.removeEventListener(this.name,this,n),i&&this.element.addEventListener(this.name,this,e),this._$AH=e}handleEvent(e){typeof this._$AH==`function`?this._$AH.call(this.options?.host??this.element,e):this._$AH.handleEvent(e)}},Le=class{constructor(e,t,n){this.element=e,this.type=6,this._$AN=void 0,this._$AM=t,this.options=n}get _$AU(){return this._$AM._$AU}_$AI(e){P(this,e)}},Re={M:_e,P:C,A:ve,C:1,L:je,R:Ne,D:xe,V:P,I:F,H:I,N:Fe,U:Ie,B:Pe,F:Le},ze=me.litHtmlPolyfillSupport;ze?.(Me,F),(me.litHtmlVersions??=[]).push(`3.3.3`);var Be=(e,t,n)=>{let r=n?.renderBefore??t,i=r._$litPart$;if(i===void 0){let e=n?.renderBefore??null;r._$litPart$=i=new F(t.insertBefore(T(),e),e,void 0,n??{})}return i._$AI(e),i},Ve=globalThis,L=class extends x{constructor(){super(...arguments),this.renderOptions={host:this},this._$Do=void 0}createRenderRoot(){let e=super.createRenderRoot();return this.renderOptions.renderBefore??=e.firstChild,e}update(e){let t=this.render();this.hasUpdated||(this.renderOptions.isConnected=this.isConnected),super.update(e),this._$Do=Be(t,this.renderRoot,this.renderOptions)}connectedCallback(){super.connectedCallback(),this._$Do?.setConnected(!0)}disconnectedCallback(){super.disconnectedCallback(),this._$Do?.setConnected(!1)}render(){return j}};L._$litElement$=!0,L.finalized=!0,Ve.litElementHydrateSupport?.({LitElement:L});var He=Ve.litElementPolyfillSupport;He?.({LitElement:L}),(Ve.litElementVersions??=[]).push(`4.2.2`);var Ue={attribute:!0,type:String,converter:y,reflect:!1,hasChanged:b},We=(e=Ue,t,n)=>{let{kind:r,metadata:i}=n,a=globalThis.litPropertyMetadata.get(i);if(a===void 0&&globalThis.litPropertyMetadata.set(i,a=new Map),r===`setter`&&((e=Object.create(e)).wrapped=!0),a.set(n.name,e),r===`accessor`){let{name:r}=n;return{set(n){let i=t.get.call(this);t.set.call(this,n),this.requestUpdate(r,i,e,!0,n)},init(t){return t!==void 0&&this.C(r,void 0,e,t),t}}}if(r===`setter`){let{name:r}=n;return function(n){let i=this[r];t.call(this,n),this.requestUpdate(r,i,e,!0,n)}}throw Error(`Unsupported decorator location: `+r)};function R(e){return(t,n)=>typeof n==`object`?We(e,t,n):((e,t,n)=>{let r=t.hasOwnProperty(n);return t.constructor.createProperty(n,e),r?Object.getOwnPropertyDescriptor(t,n):void 0})(e,t,n)}var Ge=(e,t,n)=>(n.configurable=!0,n.enumerable=!0,Reflect.decorate&&typeof t!=`object`&&Object.defineProperty(e,t,n),n);function Ke(e,t){return(n,r,i)=>{let a=t=>t.renderRoot?.querySelector(e)??null;if(t){let{get:e,set:t}=typeof r==`object`?n:i??(()=>{let e=Symbol();return{get(){return this[e]},set(t){this[e]=t}}})();return Ge(n,r,{get(){let n=e.call(this);return n===void 0&&(n=a(this),(n!==null||this.hasUpdated)&&t.call(this,n)),n}})}return Ge(n,r,{get(){return a(this)}})}}function z(e){return R({...e,state:!0,attribute:!1})}function qe(e){return t=>{customElements.get(e)===void 0&&customElements.define(e,t)}}var Je={ATTRIBUTE:1,CHILD:2,PROPERTY:3,BOOLEAN_ATTRIBUTE:4,EVENT:5,ELEMENT:6},Ye=e=>(...t)=>({_$litDirective$:e,values:t}),Xe=class{constructor(e){}get _$AU(){return this._$AM._$AU}_$AT(e,t,n){this._$Ct=e,this._$AM=t,this._$Ci=n}_$AS(e,t){return this.update(e,t)}update(e,t){return this.render(...t)}},{I:Ze}=Re,Qe=e=>e,$e=()=>document.createComment(``),B=(e,t,n)=>{let r=e._$AA.parentNode,i=t===void 0?e._$AB:t._$AA;if(n===void 0)n=new Ze(r.insertBefore($e(),i),r.insertBefore($e(),i),e,e.options);else{let t=n._$AB.nextSibling,a=n._$AM,o=a!==e;if(o){let t;n._$AQ?.(e),n._$AM=e,n._$AP!==void 0&&(t=e._$AU)!==a._$AU&&n._$AP(t)}if(t!==i||o){let e=n._$AA;for(;e!==t;){let t=Qe(e).nextSibling;Qe(r).insertBefore(e,i),e=t}}}return n},V=(e,t,n=e)=>(e._$AI(t,n),e),et={},tt=(e,t=et)=>e._$AH=t,nt=e=>e._$AH,rt=e=>{e._$AR(),e._$AA.remove()},it=(e,t,n)=>{let r=new Map;for(let i=t;i<=n;i++)r.set(e[i],i);return r},at=Ye(class extends Xe{constructor(e){if(super(e),e.type!==Je.CHILD)throw Error(`repeat() can only be used in text expressions`)}dt(e,t,n){let r;n===void 0?n=t:t!==void 0&&(r=t);let i=[],a=[],o=0;for(let t of e)i[o]=r?r(t,o):o,a[o]=n(t,o),o++;return{values:a,keys:i}}render(e,t,n){return this.dt(e,t,n).values}update(e,[t,n,r]){let i=nt(e),{values:a,keys:o}=this.dt(t,n,r);if(!Array.isArray(i))return this.ut=o,a;let s=this.ut??=[],c=[],l,u,d=0,f=i.length-1,p=0,m=a.length-1;for(;d<=f&&p<=m;)if(i[d]===null)d++;else if(i[f]===null)f--;else if(s[d]===o[p])c[p]=V(i[d],a[p]),d++,p++;else if(s[f]===o[m])c[m]=V(i[f],a[m]),f--,m--;else if(s[d]===o[m])c[m]=V(i[d],a[m]),B(e,c[m+1],i[d]),d++,m--;else if(s[f]===o[p])c[p]=V(i[f],a[p]),B(e,i[d],i[f]),f--,p++;else if(l===void 0&&(l=it(o,p,m),u=it(s,d,f)),l.has(s[d])){if(l.has(s[f])){let t=u.get(o[p]),n=t===void 0?null:i[t];if(n===null){let t=B(e,i[d]);V(t,a[p]),c[p]=t}else c[p]=V(n,a[p]),B(e,i[d],n),i[t]=null;p++}else rt(i[f]),f--}else rt(i[d]),d++;for(;p<=m;){let t=B(e,c[m+1]);V(t,a[p]),c[p++]=t}for(;d<=f;){let e=i[d++];e!==null&&rt(e)}return this.ut=o,tt(e,c),j}}),ot={Failed:{word:`Failed`,glyph:`cross`,tone:`bad`,rank:0},TimedOut:{word:`Timed out`,glyph:`clock`,tone:`bad`,rank:1},Canceled:{word:`Canceled`,glyph:`stop`,tone:`bad`,rank:2},AwaitingConfirmation:{word:`Awaits confirmation`,glyph:`person`,tone:`attention`,rank:3},Waiting:{word:`Waiting`,glyph:`hourglass`,tone:`attention`,rank:4},Running:{word:`Running`,glyph:`play`,tone:`active`,rank:5},Pending:{word:`Pending`,glyph:`dot`,tone:`faint`,rank:6},Skipped:{word:`Skipped`,glyph:`dash`,tone:`faint`,rank:7},Succeeded:{word:`Succeeded`,glyph:`check`,tone:`good`,rank:8}},st={cross:`M4.5 4.5l7 7M11.5 4.5l-7 7`,clock:`M8 2.5a5.5 5.5 0 1 1-.01 0M8 5v3.2l2.2 1.6`,stop:`M4.5 4.5h7v7h-7z`,person:`M8 3a2.3 2.3 0 1 1-.01 0M3.8 13c.3-2.6 2-4 4.2-4s3.9 1.4 4.2 4`,hourglass:`M4.5 3h7M4.5 13h7M5.5 3c0 3 5 4 5 10M10.5 3c0 3-5 4-5 10`,play:`M5.5 3.8v8.4l6.5-4.2z`,dot:`M8 7.2a.8.8 0 1 1-.01 0`,dash:`M4.5 8h7`,check:`M3.5 8.5l3 3 6-7`,question:`M6 6a2 2 0 1 1 2.6 1.9c-.4.2-.6.5-.6 1V9.5M8 12v.1`};function H(e){return u(ot,e)??{word:e,glyph:`question`,tone:`attention`,rank:3}}var ct={Adopted:`Spacelift or a person: adopted`,Triggered:`the chain: triggered`};function lt(e){return u(ct,e)??e}function ut(e){return[`Succeeded`,`Failed`,`Skipped`,`Canceled`,`TimedOut`].includes(e)}function dt(e,t,n){let r=Date.parse(e),i=t?Date.parse(t):n;return Number.isFinite(r)&&Number.isFinite(i)?Math.max(0,Math.floor((i-r)/1e3)):null}function ft(e){if(e===null)return``;let t=e=>String(e).padStart(2,`0`);return e<60?`${e}s`:e<3600?`${Math.floor(e/60)}m${t(e%60)}s`:e<86400?`${Math.floor(e/3600)}h${t(Math.floor(e%3600/60))}m`:`${Math.floor(e/86400)}d${t(Math.floor(e%86400/3600))}h`}function pt(e,t){let n=dt(e,``,t);if(n===null)return``;let r=[[86400,`d`],[3600,`h`],[60,`m`]].find(([e])=>n>=e);return r?`${Math.floor(n/r[0])}${r[1]}`:`${n}s`}function mt(e){if(e===null)return``;let{added:t,changed:n,deleted:r}=e;return t||n||r?`+${t} ~${n} -${r}`:`no changes`}function U(e,t,n=`${t}s`){return`${e.toLocaleString(`en-US`)} ${e===1?t:n}`}function ht(e,...t){let n=t.join(`
`).toLowerCase();return e.toLowerCase().split(/\s+/).every(e=>n.includes(e))}function gt({run:e,isBeforeStacks:t}){return e===null?`No run has read the stacks of this chain yet.`:t?ut(e.phase)?`The run ended before it had read its stacks.`:`The run has not read its stacks yet.`:`The run has no stacks.`}var _t={month:`short`,day:`numeric`,hour:`2-digit`,minute:`2-digit`,second:`2-digit`,hourCycle:`h23`};function vt(e,t=Date.now()){let n=new Date(e);if(Number.isNaN(n.getTime()))return``;let r=n.getFullYear()===new Date(t).getFullYear();return n.toLocaleString(`en-US`,{..._t,...r?{}:{year:`numeric`}})}function yt(e){let t=new Date(e);return Number.isNaN(t.getTime())?``:`${t.toLocaleString(`en-US`,{..._t,year:`numeric`,timeZoneName:`short`})} (${t.toISOString().replace(`.000Z`,`Z`)})`}function bt(e){return e.split(/(`[^`]+`)/).filter(e=>e!==``).map(e=>{let t=/^`[^`]+`$/.test(e);return{text:t?e.slice(1,-1):e,isCode:t}})}function W(e){return e.replace(/[\u0000-\u001f\u007f-\u009f\s]+/g,` `).replace(/[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g,``).trim()}var xt=g`
  :host {
    --canvas: #f6f7f9;
    --surface: #ffffff;
    --hover: #eef1f5;
    --line: #e2e6ec;
    --line-strong: #c8ced8;
    --text: #12161d;
    --muted: #586171;
    --accent: #2457d6;
    --accent-soft: #e8effd;
    --good: #187440;
    --good-soft: #e6f5ec;
    --bad: #b91f2b;
    --bad-soft: #fdebec;
    --active: #1a5fc0;
    --active-soft: #e6f0fd;
    --attention: #855500;
    --attention-soft: #fdf2d8;
    --faint: #586171;
    --faint-soft: #eff1f4;
    --edge: #b8c0cc;
    --shadow: 0 1px 2px rgb(16 24 40 / 6%);
    --shadow-high: 0 8px 28px rgb(16 24 40 / 16%);
    --radius: 8px;
    --mono: ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
    color-scheme: light;
    color: var(--text);
    font: 13px/1.45 system-ui, -apple-system, "Segoe UI", Inter, Roboto, "Noto Sans", sans-serif;
    font-variant-numeric: tabular-nums;
  }
  @media (prefers-color-scheme: dark) {
    :host {
      --canvas: #0b0e12;
      --surface: #151920;
      --hover: #1f2530;
      --line: #262d38;
      --line-strong: #3b4452;
      --text: #e7eaf0;
      --muted: #9ba5b4;
      --accent: #7ba7ff;
      --accent-soft: #17233d;
      --good: #55c98c;
      --good-soft: #11261b;
      --bad: #ff8585;
      --bad-soft: #34171b;
      --active: #76adff;
      --active-soft: #14243e;
      --attention: #e6b450;
      --attention-soft: #2f2511;
      --faint: #9ba5b4;
      --faint-soft: #1d222b;
      --edge: #444e5d;
      --shadow: 0 1px 2px rgb(0 0 0 / 40%);
      --shadow-high: 0 10px 32px rgb(0 0 0 / 55%);
      color-scheme: dark;
    }
  }
  * {
    box-sizing: border-box;
  }
  [hidden] {
    display: none !important;
  }
`,St=g`
  button,
  input {
    font: inherit;
    color: inherit;
  }
  a {
    color: var(--accent);
    text-decoration: none;
  }
  a:hover {
    text-decoration: underline;
  }
  :focus-visible {
    outline: 2px solid var(--accent);
    outline-offset: 1px;
  }
  .button {
    display: inline-flex;
    align-items: center;
    gap: 6px;
    height: 30px;
    padding: 0 10px;
    border: 1px solid var(--line);
    border-radius: 6px;
    background: var(--surface);
    cursor: pointer;
    white-space: nowrap;
  }
  .button:hover {
    background: var(--hover);
    text-decoration: none;
  }
  .button[aria-pressed="true"] {
    border-color: var(--accent);
    background: var(--accent-soft);
    color: var(--accent);
  }
  .button.icon {
    width: 30px;
    padding: 0;
    justify-content: center;
  }
  .button.plain {
    border-color: transparent;
    background: none;
  }
  .field {
    height: 30px;
    padding: 0 10px;
    border: 1px solid var(--line);
    border-radius: 6px;
    background: var(--surface);
    min-width: 0;
  }
  .field::placeholder {
    color: var(--muted);
    opacity: 1;
  }
  .good {
    --tone: var(--good);
    --tone-soft: var(--good-soft);
  }
  .bad {
    --tone: var(--bad);
    --tone-soft: var(--bad-soft);
  }
  .active {
    --tone: var(--active);
    --tone-soft: var(--active-soft);
  }
  .attention {
    --tone: var(--attention);
    --tone-soft: var(--attention-soft);
  }
  .faint {
    --tone: var(--faint);
    --tone-soft: var(--faint-soft);
  }
  .phase {
    display: inline-flex;
    align-items: center;
    gap: 6px;
    color: var(--tone);
    font-weight: 550;
    white-space: nowrap;
  }
  .glyph {
    flex: none;
    width: 20px;
    height: 20px;
    padding: 2px;
    border-radius: 50%;
    background: var(--tone-soft);
    color: var(--tone);
  }
  .glyph path {
    fill: none;
    stroke: currentcolor;
    stroke-width: 1.7;
    stroke-linecap: round;
    stroke-linejoin: round;
  }
  .id {
    display: inline-flex;
    min-width: 0;
    max-width: 100%;
    unicode-bidi: isolate;
    white-space: pre;
  }
  .id .head {
    overflow: hidden;
    text-overflow: ellipsis;
    min-width: 1ch;
  }
  .id .tail {
    flex: none;
  }
  /* It is there to be heard; what is seen is what is copied. */
  .id .unseen {
    user-select: none;
  }
  .muted {
    color: var(--muted);
  }
  code {
    font-family: var(--mono);
    font-size: 0.94em;
    overflow-wrap: anywhere;
  }
  .unseen {
    position: absolute;
    width: 1px;
    height: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
  @media (prefers-reduced-motion: reduce) {
    *,
    *::before,
    *::after {
      animation: none !important;
      transition: none !important;
    }
  }
`;function Ct(e){let t=[...W(e)],[n,r]=[t.slice(0,-9).join(``),t.slice(-9).join(``)];return n?k`<span class="id" title=${W(e)}
    ><span class="unseen">${W(e)}</span><span class="head" aria-hidden="true">${n}</span
    ><span class="tail" aria-hidden="true">${r}</span></span
  >`:k`<span class="id">${r}</span>`}function G(e){return bt(e).map(e=>e.isCode?k`<code>${e.text}</code>`:e.text)}function wt(e){return k`<svg class="glyph" viewBox="0 0 16 16" aria-hidden="true">
    ${A`<path d=${st[e]??``}></path>`}
  </svg>`}function Tt(e){let t=H(e);return k`<span class="phase ${t.tone}">${wt(t.glyph)}${t.word}</span>`}var Et={plus:`M8 3v10M3 8h10`,minus:`M3 8h10`,fit:`M3 6V3h3M10 3h3v3M13 10v3h-3M6 13H3v-3`,down:`M4 6l4 4 4-4`,right:`M6 4l4 4-4 4`,room:`M3 6V3h10v3M3 10v3h10v-3M8 5v6M6 7l2-2 2 2M6 9l2 2 2-2`,close:`M4 4l8 8M12 4l-8 8`,out:`M6.5 3.5H3.5v9h9v-3M9 3h4v4M13 3L7.5 8.5`,copy:`M6 6h7v7H6zM10 3.5H3.5V10`,done:`M3.5 8.5l3 3 6-7`,search:`M7 3a4 4 0 1 1-.01 0M10 10l3.5 3.5`,fold:`M8 2v4M5.8 4.2L8 6.4l2.2-2.2M8 14v-4M5.8 11.8L8 9.6l2.2 2.2M3 8h10`};function K(e){return k`<svg width="16" height="16" viewBox="0 0 16 16" aria-hidden="true" fill="none"
    stroke="currentcolor" stroke-width="1.6" stroke-linecap="round" stroke-linejoin="round">
    ${A`<path d=${Et[e]??``}></path>`}
  </svg>`}var Dt=Ye(class extends Xe{constructor(e){if(super(e),e.type!==Je.ELEMENT)throw Error(`styles() is for elements`)}render(e){return j}update(e,[t]){let{style:n}=e.element;for(let[e,r]of Object.entries(t))n.getPropertyValue(e)!==r&&n.setProperty(e,r);return j}}),Ot=2;function kt(e,t){return`group:${e}:${t}`}var At=new Set([`OutputUnchanged`,`Bypassed`]);function jt(e){switch(e.phase){case`Succeeded`:return`finished`;case`Pending`:return`pending`;case`Skipped`:return At.has(e.reason??``)?`finished`:`skipped`;default:return null}}function Mt(e,t){let n=t.isFolded?Nt(e,t):new Map,r=new Map;for(let t of e)r.set(t.id,t.id);for(let[e,t]of n)t.forEach(t=>r.set(t.id,e));let i=new Map;for(let t of e){let e=r.get(t.id)??t.id,n=i.get(e)??{stacks:[],upstreams:new Set};i.set(e,n),n.stacks.push(t);for(let i of t.dependsOn){let t=r.get(i);t!==void 0&&t!==e&&n.upstreams.add(t)}}return[...i].map(([e,t])=>({key:e,level:t.stacks[0]?.level??0,upstreams:[...t.upstreams].sort(),stacks:t.stacks,kind:n.has(e)&&t.stacks[0]?jt(t.stacks[0]):null}))}function Nt(e,t){let n=new Map;for(let r of e){let e=jt(r);if(e===null||t.shown.has(r.id))continue;let i=kt(r.level,e);t.opened.has(i)||n.set(i,[...n.get(i)??[],r])}for(let[e,t]of n)t.length<Ot&&n.delete(e);return n}function Pt(e,t){let n=new Map(e.map(e=>[e.id,e.dependsOn])),r=new Map;for(let t of e)for(let e of t.dependsOn){let n=r.get(e);n?n.push(t.id):r.set(e,[t.id])}return{upstream:Ft(t,n),downstream:Ft(t,r)}}function Ft(e,t){let n=new Set,r=[e];for(let i=r.pop();i!==void 0;i=r.pop())for(let a of t.get(i)??[])a!==e&&!n.has(a)&&(n.add(a),r.push(a));return n}var It=8,Lt=10;function Rt(e){for(let t of e)t.sort((e,t)=>Kt(e.key,t.key)),Ut(t);let t=Wt(e),n=Ht(e);for(let r=0;r<It&&n>0;r+=1){let i=r%2==0;for(let t of i?e:[...e].reverse())Vt(t,i);let a=Ht(e);a<n&&([t,n]=[Wt(e),a])}t.forEach((t,n)=>{e[n]=t,Ut(t)}),zt(e)}function zt(e){for(let t of e){let e=0;for(let n of t)n.y=e+n.height/2,e+=n.height}for(let t=0;t<Lt;t+=1){let n=t%2==0;for(let t of n?e:[...e].reverse())Bt(t,n?e=>e.ups:e=>e.downs)}for(let t of e)Bt(t,e=>[...e.ups,...e.downs])}function Bt(e,t){let n=0,r=e.map((t,r)=>{let i=e[r-1];return n+=i?(i.height+t.height)/2:0,n}),i=[];e.forEach((e,n)=>{let a=t(e),o=a.length>0?1:.05,s={sum:((a.length>0?Gt(a.map(e=>e.y)):e.y)-(r[n]??0))*o,weight:o,count:1};for(let e=i.at(-1);e&&e.sum/e.weight>s.sum/s.weight;)i.pop(),s={sum:e.sum+s.sum,weight:e.weight+s.weight,count:e.count+s.count},e=i.at(-1);i.push(s)});let a=0;for(let t of i)for(let n=a+t.count;a<n;a+=1){let n=e[a];n&&(n.y=t.sum/t.weight+(r[a]??0))}}function Vt(e,t){let n=new Map(e.map(e=>{let n=t?e.ups:e.downs;return[e,n.length>0?Gt(n.map(e=>e.order)):e.order]}));e.sort((e,t)=>(n.get(e)??0)-(n.get(t)??0)||e.order-t.order||Kt(e.key,t.key)),Ut(e)}function Ht(e){let t=0;for(let n of e.slice(1)){let e=n.flatMap(e=>e.ups.map(e=>e.order).sort((e,t)=>e-t)),r=Array(Math.max(0,...e)+2).fill(0);e.forEach((e,n)=>{let i=0;for(let t=e+1;t>0;t-=t&-t)i+=r[t]??0;t+=n-i;for(let t=e+1;t<r.length;t+=t&-t)r[t]=(r[t]??0)+1})}return t}function Ut(e){e.forEach((e,t)=>{e.order=t})}function Wt(e){return e.map(e=>[...e])}function Gt(e){return e.reduce((e,t)=>e+t,0)/e.length}function Kt(e,t){return e<t?-1:+(e>t)}var qt=.3;function Jt(e,t,n=null){let r=Yt(e),i=n!==null&&Xt(n,r,t)?n:null,a=Mt(e,{...t,shown:i?Zt(i):new Set}),o=Qt(a),s=i?rn(a,o,i):null,c=s?{boxes:s,bends:new Map}:$t(a,o),l=cn(a,c.boxes,c.bends);return{boxes:c.boxes,edges:i&&s?fn(l,i):l,width:Math.max(0,...c.boxes.map(e=>e.x+256)),height:Math.max(0,...c.boxes.map(e=>e.y+46)),structure:r,folding:t}}function Yt(e){return e.map(e=>`${e.id}\t${e.level}\t${[...e.dependsOn].sort().join(`	`)}`).sort().join(`
`)}function Xt(e,t,n){let{isFolded:r,opened:i}=e.folding;return e.structure===t&&r===n.isFolded&&[...i].every(e=>n.opened.has(e))}function Zt(e){return new Set(e.boxes.filter(e=>e.item.kind===null).map(e=>e.key))}function Qt(e){let t=[...new Set(e.map(e=>e.level))].sort((e,t)=>e-t);return new Map(t.map((e,t)=>[e,t]))}function $t(e,t){let n=new Map,r=[...t].map(()=>[]),i=(e,t,i)=>{let a={key:e,column:t,height:i,ups:[],downs:[],order:0,y:0};return n.set(e,a),r[t]?.push(a),a};for(let n of e)i(n.key,t.get(n.level)??0,1);for(let t of e)for(let e of t.upstreams)tn(n,i,e,t.key);Rt(r);let a=Math.min(...r.flat().map(e=>e.y-e.height/2),1/0),o=e=>Math.round((e-a)*60);return{boxes:e.map(e=>{let r=t.get(e.level)??0,i=o((n.get(e.key)?.y??0)-.5);return{key:e.key,item:e,column:r,x:r*332,y:i}}),bends:new Map([...n.values()].filter(e=>e.height<1).map(e=>[e.key,o(e.y)-7]))}}function en(e,t){return`bend:${t}:${e}`}function tn(e,t,n,r){let[i,a]=[e.get(n),e.get(r)];if(!i||!a||i.column>=a.column)return;let o=i;for(let r=i.column+1;r<a.column;r+=1){let i=en(n,r),a=e.get(i),s=a??t(i,r,qt);a||nn(o,s),o=s}nn(o,a)}function nn(e,t){e.downs.push(t),t.ups.push(e)}function rn(e,t,n){let r=new Map(n.boxes.map(e=>[e.key,e])),i=new Map;for(let n of e){let e=r.get(n.key);if(e){if(e.column!==t.get(n.level))return null;i.set(n.key,{...e,item:n})}}let a=new Map,o=e=>{let t=a.get(e)??[...i.values()].filter(t=>t.column===e).map(e=>e.y);return a.set(e,t),t},s=(e,t,n)=>{i.set(e.key,{key:e.key,item:e,column:t,x:t*332,y:n})},c=e=>{let t=e.upstreams.map(e=>i.get(e)?.y).filter(e=>e!==void 0);return t.length>0?t.reduce((e,t)=>e+t,0)/t.length:null},l=e.filter(e=>!i.has(e.key));for(let[e,r]of an(l,n)){let n=t.get(r[0]?.level??0)??0,i=o(n),a=r.map(t=>{let n=sn(e?.y??c(t)??0,i);return i.push(n),{item:t,y:n}});(e===null?a:on(a,c)).forEach(({item:e,y:t})=>s(e,n,t))}return e.map(e=>i.get(e.key)).filter(e=>e!==void 0)}function an(e,t){let n=new Map;for(let e of t.boxes.filter(({item:e})=>e.kind!==null))e.item.stacks.forEach(t=>n.set(t.id,e));let r=new Map;for(let t of[...e].sort((e,t)=>e.level-t.level)){let e=t.kind===null?n.get(t.key)??null:null,i=e?.key??t.key,a=r.get(i)??[e,[]];a[1].push(t),r.set(i,a)}return[...r.values()]}function on(e,t){let n=e.map(({y:e})=>e).sort((e,t)=>e-t),r=new Map(e.map(({item:e})=>[e,t(e)??1/0]));return e.map(({item:e})=>e).sort((e,t)=>(r.get(e)??0)-(r.get(t)??0)||Kt(e.key,t.key)).map((e,t)=>({item:e,y:n[t]??0}))}function sn(e,t){return[Math.max(0,e),...t.flatMap(e=>[e+60,e-60])].filter(e=>e>=0&&t.every(t=>Math.abs(t-e)>=60)).map(e=>Math.round(e)).sort((t,n)=>Math.abs(t-e)-Math.abs(n-e)||n-t)[0]??0}function cn(e,t,n){let r=new Map(t.map(e=>[e.key,e]));return e.flatMap(e=>e.upstreams.flatMap(t=>{let[i,a]=[r.get(t),r.get(e.key)];if(!i||!a)return[];let o=ln(i,a,n);return[{key:`${t}\t${e.key}`,from:t,to:e.key,path:o}]}))}function ln(e,t,n){let[r,i]=[e.x+256,e.y+23],a=[`M${r} ${i}`];for(let o=e.column+1;o<t.column;o+=1){let t=n.get(en(e.key,o));t!==void 0&&(a.push(un(r,i,o*332,t),`H${o*332+256}`),[r,i]=[o*332+256,t])}return a.push(un(r,i,t.x,t.y+23)),a.join(``)}function un(e,t,n,r){let i=Math.round((e+n)/2);return`C${i} ${dn(t)} ${i} ${dn(r)} ${n} ${dn(r)}`}function dn(e){return Math.round(e*10)/10}function fn(e,t){let n=new Map(t.edges.map(e=>[e.key,e]));return e.map(e=>n.get(e.key)??e)}var pn={good:{fill:`#e7f6ec`,line:`#1a7f45`},bad:{fill:`#fdeaea`,line:`#c0262d`},active:{fill:`#e6f0fd`,line:`#1d64c4`},attention:{fill:`#fdf3dc`,line:`#8a5a00`},faint:{fill:`#f3f4f6`,line:`#5b6472`}},mn=/[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;function hn(e){let t=new Map(e.map((e,t)=>[e.id,`s${t}`])),n=[`flowchart LR`];for(let r of e){let{word:e,tone:i}=H(r.phase),a=`${Sn(r.id)}<br/>${Sn(e)}`;n.push(`  ${t.get(r.id)}["${a}"]:::${i}`)}for(let[r,i]of bn(e))n.push(`  ${t.get(r)} --> ${t.get(i)}`);for(let[e,{fill:t,line:r}]of Object.entries(pn))n.push(`  classDef ${e} fill:${t},stroke:${r},color:#111827`);return`${n.join(`
`)}\n`}function gn(e,t){let n=[`digraph ${q(e)} {`,`  rankdir=LR;`,`  node [shape=box, style="rounded,filled", fontname="sans-serif"];`];for(let e of t){let{word:t,tone:r}=H(e.phase),{fill:i,line:a}=pn[r],o=q(`${e.id}\n${t}`);n.push(`  ${q(e.id)} [label=${o}, fillcolor="${i}", color="${a}"];`)}for(let[e,r]of bn(t))n.push(`  ${q(e)} -> ${q(r)};`);return`${n.join(`
`)}\n}\n`}function _n(e,t){let[n,r]=[t.width+48,t.height+48],i=t.edges.map(e=>`<path d="${e.path}" fill="none" stroke="#9aa3af" stroke-width="1.3"/>`);return[`<svg xmlns="http://www.w3.org/2000/svg" width="${n}" height="${r}" viewBox="-24 -24 ${n} ${r}" font-family="system-ui, sans-serif">`,`<title>${xn(e)}</title>`,`<rect x="-24" y="-24" width="100%" height="100%" fill="#ffffff"/>`,...i,...t.boxes.map(vn),`</svg>
`].join(`
`)}function vn(e){let t=e.item.stacks[0],{word:n,glyph:r,tone:i}=H(t?.phase??``),{fill:a,line:o}=pn[i],s=e.item.stacks.length,c=e.item.kind===null?t?.id??``:U(s,`${e.item.kind} stack`);return[`<g transform="translate(${e.x} ${e.y})">`,`<rect width="256" height="46" rx="8" fill="${a}" stroke="${o}"/>`,`<path transform="translate(10 8)" d="${st[r]??``}" fill="none" stroke="${o}" stroke-width="1.6" stroke-linecap="round"/>`,`<text x="34" y="19" font-size="12.5" font-weight="600" fill="#111827">${xn(yn(c,28))}</text>`,`<text x="34" y="36" font-size="11" fill="${o}">${xn(e.item.kind?``:n)}</text>`,`</g>`].join(``)}function yn(e,t){let n=[...e];if(n.length<=t)return e;let r=Math.ceil((t-1)/2);return`${n.slice(0,t-1-r).join(``)}…${n.slice(-r).join(``)}`}function bn(e){let t=new Set(e.map(e=>e.id));return e.flatMap(e=>e.dependsOn.filter(e=>t.has(e)).map(t=>[t,e.id]))}function xn(e){return e.replace(/[\u0000-\u001f\u007f-\u009f\ufffe\uffff]/g,` `).replace(mn,``).toWellFormed().replace(/[<>&"']/g,e=>`&#${e.charCodeAt(0)};`)}function Sn(e){return[...e].map(e=>/[A-Za-z0-9 ._/-]/.test(e)?e:`#${e.codePointAt(0)};`).join(``)}function q(e){return`"${e.replaceAll(`\\`,`\\\\`).replaceAll(`"`,`\\"`).replaceAll(`
`,`\\n`).replace(mn,e=>`\\\\u${e.charCodeAt(0).toString(16).padStart(4,`0`)}`).toWellFormed()}"`}var Cn={Failed:`failed`,TimedOut:`timed out`,Canceled:`was canceled`,Skipped:`was skipped`},wn={StageNotSucceeded:`, and an earlier stage needs it`,FailFast:", and the chain stops at the first failure (`failurePolicy: FailFast`)"};function Tn(e,t){let[n,r,...i]=e.message.split(`'${e.blockedBy}'`);return n!==void 0&&r!==void 0&&i.length===0?[n,r]:[`Skipped because `,` ${u(Cn,t?.phase??``)??`did not succeed`}${u(wn,e.reason)??``}.`]}function En(e,t,n=e.ask){return e.ask?e.command?`${e.do}: ${t?`press ${n}, or run`:`run`} \`${e.command}\`.`:t?`${e.do}: press ${n}.`:`${e.do}.`:e.command?`${e.do} \`${e.command}\``:e.do}function J(e,t,n,r){var i=arguments.length,a=i<3?t:r===null?r=Object.getOwnPropertyDescriptor(t,n):r,o;if(typeof Reflect==`object`&&typeof Reflect.decorate==`function`)a=Reflect.decorate(e,t,n,r);else for(var s=e.length-1;s>=0;s--)(o=e[s])&&(a=(i<3?o(a):i>3?o(t,n,a):o(t,n))||a);return i>3&&a&&Object.defineProperty(t,n,a),a}var Dn=12,On=2e3,Y=class extends L{constructor(...e){super(...e),this.stack=null,this.stacks=[],this.advice=null,this.actions=[],this.meaning=null,this.mayAsk=!1,this.workflowUrl=``,this.chainLink=``,this.now=Date.now(),this.isWhole=!1,this.copied=``}static{this.styles=[xt,St,g`
      :host {
        display: flex;
        flex-direction: column;
        min-height: 0;
        background: var(--surface);
      }
      header {
        display: flex;
        align-items: flex-start;
        gap: 8px;
        padding: 16px 12px 12px 20px;
        border-bottom: 1px solid var(--line);
      }
      h2 {
        flex: 1;
        min-width: 0;
        margin: 0;
        font-size: 15px;
        font-weight: 620;
        line-height: 1.35;
        overflow-wrap: anywhere;
        unicode-bidi: isolate;
      }
      .body {
        flex: 1;
        overflow-y: auto;
        padding: 16px 20px 28px;
        display: grid;
        grid-auto-rows: max-content;
        gap: 16px;
        outline-offset: -2px;
      }
      .message {
        margin: 0;
        max-height: 16em;
        overflow-y: auto;
        overflow-wrap: anywhere;
        white-space: pre-line;
        unicode-bidi: plaintext;
      }
      .do {
        padding: 10px 12px;
        border-radius: var(--radius);
        background: var(--tone-soft, var(--faint-soft));
      }
      .do b {
        display: block;
        margin-bottom: 2px;
        color: var(--tone);
      }
      h3 {
        margin: 0 0 6px;
        font-size: 11px;
        font-weight: 600;
        letter-spacing: 0.04em;
        text-transform: uppercase;
        color: var(--muted);
      }
      dl {
        display: grid;
        grid-template-columns: 92px minmax(0, 1fr);
        gap: 6px 12px;
        align-items: baseline;
        margin: 0;
      }
      dt {
        color: var(--muted);
      }
      dd {
        margin: 0;
        overflow-wrap: anywhere;
      }
      .links {
        display: flex;
        flex-wrap: wrap;
        gap: 8px;
      }
      .names {
        display: flex;
        flex-wrap: wrap;
        gap: 6px;
      }
      .names button {
        max-width: 100%;
        height: 26px;
        padding: 0 8px;
        border: 1px solid var(--line);
        border-radius: 6px;
        background: none;
        cursor: pointer;
        overflow: hidden;
      }
      .names button:hover {
        background: var(--hover);
      }
      .button.icon.copy {
        width: 24px;
        height: 24px;
        vertical-align: middle;
        color: var(--muted);
      }
      header .button.icon.copy {
        margin: 3px -6px 0 0;
      }
      .who {
        display: inline-block;
        max-width: 100%;
        padding: 0 6px;
        border: 1px solid var(--line);
        border-radius: 6px;
        background: none;
        font-weight: 600;
        cursor: pointer;
        vertical-align: bottom;
      }
      .who:hover {
        background: var(--hover);
      }
      .runs {
        display: grid;
        gap: 4px;
        margin: 0;
        padding: 0;
        list-style: none;
        overflow-wrap: anywhere;
      }
    `]}render(){let e=this.stack;return e===null?M:k`<header>
        <h2 id="title" tabindex="-1" aria-level=${this.isWhole?1:2}>${W(e.id)}</h2>
        ${this.#r(W(e.id),`Copy the id of the stack`)}
        <button class="button icon plain" aria-label="Close" @click=${this.#f}>
          ${K(`close`)}
        </button>
      </header>
      <div class="body" tabindex="0" role="region" aria-labelledby="title">
        <div>${Tt(e.phase)}</div>
        ${this.#e(e)} ${this.#a(e)} ${this.#o(e)} ${this.#c(e)}
        ${this.#s(e)}
      </div>
      <div class="unseen" role="status">${this.copied?`${this.copied} was copied.`:``}</div>`}focusTitle(){this.renderRoot.querySelector(`#title`)?.focus()}#e(e){let{advice:t,meaning:n}=this,r=t?En(t,this.mayAsk):e.blockedBy?``:n?.do??``,i=r!==``&&r!==`Nothing.`,a=[`Failed`,`TimedOut`,`Canceled`].includes(e.phase)?`bad`:`attention`;return k`${e.blockedBy?this.#n(e):this.#t(e.message||t?.means||n?.means||``)}
    ${this.chainLink&&t?k`<p class="message">In use by chain <a href=${this.chainLink} data-internal>${W(t.chain)}</a>.</p>`:M}
    ${i?k`<div class="do ${a}"><b>What to do</b>${G(r)}</div>`:M}`}#t(e){return e?k`<p class="message">${G(e)}</p>`:M}#n(e){let t=this.stacks.find(t=>t.id===e.blockedBy),[n,r]=Tn(e,t),i=W(e.blockedBy),a=!e.message||e.message===`${n}'${e.blockedBy}'${r}`;return k`<p class="message">${G(n)}${t?k`<button class="who" @click=${()=>this.#u(t.id)}>${i}</button>`:k`<b>${i}</b>`}${G(r)}</p>
      ${a?M:this.#t(e.message)}`}#r(e,t){return`clipboard`in navigator?k`<button class="button icon plain copy" aria-label=${t} title=${t} @click=${()=>void this.#i(e)}>
          ${K(this.copied===e?`done`:`copy`)}
        </button>`:M}async#i(e){try{await navigator.clipboard.writeText(e)}catch{return}this.copied=e,window.setTimeout(()=>this.copied=``,On)}#a(e){let t=e.phase===`Waiting`&&e.heldBy?.url!==e.runUrl?e.heldBy?.url:``;return e.runUrl||t||this.workflowUrl||this.actions.length>0?k`<div class="links">
          ${this.actions.map(t=>k`<button class="button" @click=${()=>this.#d(t,e.id)}>${t}</button>`)}
          ${e.runUrl?k`<a class="button" href=${e.runUrl} target="_blank" rel="noopener noreferrer"
                >Open the run in Spacelift ${K(`out`)}</a
              >`:M}
          ${t?k`<a class="button" href=${t} target="_blank" rel="noopener noreferrer"
                >Open what it waits for ${K(`out`)}</a
              >`:M}
          ${this.workflowUrl?k`<a class="button" href=${this.workflowUrl} target="_blank" rel="noopener noreferrer"
                >Workflow in Temporal ${K(`out`)}</a
              >`:M}
        </div>`:M}#o(e){let t=ft(dt(e.startTime,e.completionTime,this.now));return k`<dl>
      ${[[`Reason`,W(e.reason)],[`Name`,e.name===e.id?``:W(e.name)],[`Changes`,mt(e.delta)],[`Attempts`,e.attempts>1?String(e.attempts):``],[`Took`,e.phase===`Skipped`?``:t],[`Started`,e.startTime?`${vt(e.startTime)} (${pt(e.startTime,this.now)} ago)`:``,yt(e.startTime)],[`Ended`,vt(e.completionTime),yt(e.completionTime)],[`Run`,e.runId?k`<code>${e.runId}</code> ${this.#r(W(e.runId),`Copy the id of the run`)}`:``],[`Started by`,lt(e.runSource)],[`In Spacelift`,e.runState],[`Level`,String(e.level+1)]].filter(([,e])=>e!==``).map(([e,t,n])=>k`<dt>${e}</dt><dd title=${n||M}>${t}</dd>`)}
    </dl>`}#s(e){return e.unusedRuns.length>0?k`<section>
          <h3 aria-level=${this.isWhole?2:3}>Runs that it did not use</h3>
          <ul class="runs">
            ${e.unusedRuns.slice(0,Dn).map(e=>k`<li>
                ${e.runUrl?k`<a href=${e.runUrl} target="_blank" rel="noopener noreferrer"><code>${W(e.runId)}</code></a>`:k`<code>${W(e.runId)}</code>`}
                <span class="muted">${W(e.runState)}</span>
              </li>`)}
          </ul>
        </section>`:M}#c(e){let t=this.stacks.filter(t=>t.dependsOn.includes(e.id)),{upstream:n,downstream:r}=Pt(this.stacks,e.id),i=new Map(this.stacks.map(e=>[e.id,e.phase])),a=this.advice?.holds??[];return k`${a.length>0?k`<section>
            <h3 aria-level=${this.isWhole?2:3}>Holds up ${U(this.advice?.held??a.length,`stack`)}</h3>
            ${this.#l(a,i,this.advice?.held)}
          </section>`:M}
      <section>
        <h3 aria-level=${this.isWhole?2:3}>Depends on${n.size>0?` (${n.size} in all)`:``}</h3>
        ${this.#l(e.dependsOn,i)}
      </section>
      <section>
        <h3 aria-level=${this.isWhole?2:3}>Dependents${r.size>0?` (${r.size} in all)`:``}</h3>
        ${this.#l(t.map(e=>e.id),i)}
      </section>`}#l(e,t,n=e.length){if(e.length===0)return k`<span class="muted">None</span>`;let r=n-Dn;return k`<div class="names">
      ${e.slice(0,Dn).map(e=>k`<button ?disabled=${!t.has(e)} @click=${()=>this.#u(e)}>${Ct(e)}</button>`)}
      ${r>0?k`<span class="muted">and ${r} more</span>`:M}
    </div>`}#u(e){this.dispatchEvent(new CustomEvent(`stack-select`,{detail:{id:e},bubbles:!0,composed:!0}))}#d(e,t){this.dispatchEvent(new CustomEvent(`stack-action`,{detail:{action:e,id:t},bubbles:!0,composed:!0}))}#f(){this.#u(``)}};J([R({attribute:!1})],Y.prototype,`stack`,void 0),J([R({attribute:!1})],Y.prototype,`stacks`,void 0),J([R({attribute:!1})],Y.prototype,`advice`,void 0),J([R({attribute:!1})],Y.prototype,`actions`,void 0),J([R({attribute:!1})],Y.prototype,`meaning`,void 0),J([R({attribute:!1})],Y.prototype,`mayAsk`,void 0),J([R({attribute:!1})],Y.prototype,`workflowUrl`,void 0),J([R({attribute:!1})],Y.prototype,`chainLink`,void 0),J([R({type:Number})],Y.prototype,`now`,void 0),J([R({attribute:!1})],Y.prototype,`isWhole`,void 0),J([z()],Y.prototype,`copied`,void 0),Y=J([qe(`stackchain-drawer`)],Y);var kn=.08,X=.8,Z=28;function An(e,t,n){let r=jn(e,t);if(r.scale>=X||n===null)return r.scale>=X?r:{x:Z,y:Q(e.height,t.height,X),scale:X};let i=t.height/2-(n.y+n.height/2)*X;return Pn(Nn({x:Z,y:Math.round(i),scale:X},e,t),n,t)}function jn(e,t){let n=Math.max(kn,Math.min(1,(t.width-56)/Math.max(1,e.width),(t.height-56)/Math.max(1,e.height)));return{x:Q(e.width,t.width,n),y:Q(e.height,t.height,n),scale:n}}function Q(e,t,n){return Math.max(Z,Math.round((t-e*n)/2))}function Mn(e,t,n){let r=Math.min(2,Math.max(kn,e.scale*t)),i=r/e.scale;return{x:n.x-(n.x-e.x)*i,y:n.y-(n.y-e.y)*i,scale:r}}function Nn(e,t,n){let r=t.height*e.scale;return r+56<=n.height?{...e,y:Q(t.height,n.height,e.scale)}:{...e,y:Math.min(Z,Math.max(n.height-Z-r,e.y))}}function Pn(e,t,n){let r=(t,n,r,i)=>{let[a,o]=[t*e.scale+r,(t+n)*e.scale+r];return a<Z?r+Z-a:o>i-Z?Math.max(r+i-Z-o,r+Z-a):r};return{x:r(t.x,t.width,e.x,n.width),y:r(t.y,t.height,e.y,n.height),scale:e.scale}}function Fn(e,t,n){let r=(t,n,r)=>Math.min(r-80,Math.max(80-n*e.scale,t));return{x:r(e.x,t.width,n.width),y:r(e.y,t.height,n.height),scale:e.scale}}var In={finished:{word:`finished`,glyph:`check`,tone:`good`},pending:{word:`pending`,glyph:`dot`,tone:`faint`},skipped:{word:`skipped`,glyph:`dash`,tone:`faint`}},Ln={width:168,height:104},$=class extends L{constructor(...t){super(...t),this.chain=null,this.advice={},this.selected=``,this.query=``,this.only=[],this.drawer=``,this.hasMoreRoom=null,this.isFolded=null,this.opened=new Set,this.view=null,this.room={width:0,height:0},this.now=Date.now(),this.focusKey=``,this.announcement=``,this.parsed=e(null),this.layout=null,this.drag=null,this.hasMoved=!1,this.dragged=!1,this.pointers=new Map,this.ticking=0,this.resizing=new ResizeObserver(()=>this.measure()),this.wheel=e=>{if(!this.view)return;e.preventDefault();let t=this.canvas.getBoundingClientRect();if(e.ctrlKey||e.metaKey){let n={x:e.clientX-t.x,y:e.clientY-t.y};this.go(Mn(this.view,Math.exp(-e.deltaY/240),n))}else{let[t,n]=e.shiftKey?[e.deltaY,0]:[e.deltaX,e.deltaY];this.go({...this.view,x:this.view.x-t,y:this.view.y-n})}}}static{this.styles=[xt,St,zn()]}connectedCallback(){super.connectedCallback(),this.hasUpdated&&this.resizing.observe(this.canvas),this.ticking=window.setInterval(()=>{this.parsed.stacks.some(e=>e.startTime&&!ut(e.phase))&&(this.now=Date.now())},1e3)}disconnectedCallback(){super.disconnectedCallback(),window.clearInterval(this.ticking),this.resizing.disconnect()}firstUpdated(){this.resizing.observe(this.canvas),this.canvas.addEventListener(`wheel`,this.wheel,{passive:!1}),this.measure()}willUpdate(t){if(t.has(`chain`)){let t=this.parsed;this.parsed=e(this.chain),this.now=Date.now(),(t.name!==this.parsed.name||t.namespace!==this.parsed.namespace)&&this.reset(),this.announce(t)}let{stacks:n}=this.parsed;if(t.has(`chain`)||t.has(`isFolded`)||t.has(`opened`)){let e=this.layout?.structure;this.layout=Jt(n,{isFolded:this.folded,opened:this.opened},this.layout),e!==void 0&&e!==this.layout.structure&&!this.hasMoved&&(this.view=null)}this.view===null&&this.room.width>0&&this.layout&&this.layout.boxes.length>0&&(this.view=An(this.layout,this.room,this.first()))}updated(e){if(e.has(`selected`)&&this.selected){let e=this.keyOf(this.selected);this.focusKey=e,this.show(e)}}get folded(){return this.isFolded??this.parsed.stacks.length>60}reset(){this.layout=null,this.view=null,this.isFolded=null,this.opened=new Set,this.hasMoved=!1,this.focusKey=``}measure(){let{clientWidth:e,clientHeight:t}=this.canvas;if(e===0||e===this.room.width&&t===this.room.height)return;let n=e<this.room.width;this.room={width:e,height:t},this.hasMoved?n&&this.selected&&this.show(this.keyOf(this.selected)):this.view=null}first(){let e=this.keyOf(this.selected),t=this.layout?.boxes.find(t=>t.key===e);if(t)return Rn(t);let n=[...this.layout?.boxes??[]].filter(e=>e.item.kind===null).map(e=>({box:e,rank:H(e.item.stacks[0]?.phase??``).rank})).filter(({rank:e})=>e<6).sort((e,t)=>e.rank-t.rank||e.box.x-t.box.x||e.box.y-t.box.y);return n[0]?Rn(n[0].box):null}announce(e){let t=new Map(e.stacks.map(e=>[e.id,e.phase])),n=this.parsed.stacks.filter(e=>t.has(e.id)&&t.get(e.id)!==e.phase),r=n.slice(0,3).map(e=>`${e.id}: ${H(e.phase).word}`),i=n.length-r.length;r.length>0&&(this.announcement=r.join(`, `)+(i>0?`, and ${i} more`:``))}render(){let{stacks:e}=this.parsed,t=e.find(e=>e.id===this.selected)??null;return k`<div class="bar">${this.renderBar()}</div>
      <div class="main">
        <div
          class="canvas"
          role="group"
          aria-label=${this.label()}
          @pointerdown=${this.press}
          @pointermove=${this.move}
          @pointerup=${this.release}
          @pointercancel=${this.release}
          @pointerleave=${this.release}
          @keydown=${this.key}
        >
          ${this.layout&&this.view?this.renderGraph(this.layout,this.view):M}
          ${e.length===0?this.renderEmpty():M}
          ${this.renderMap()}
        </div>
        ${t&&this.drawer!==`none`?k`<stackchain-drawer
              .stack=${t}
              .stacks=${e}
              .advice=${u(this.advice,t.id)??null}
              .now=${this.now}
              @stack-select=${e=>this.selected=e.detail.id}
            ></stackchain-drawer>`:M}
      </div>
      <div class="unseen" role="status">${this.announcement}</div>`}label(){let{name:e,stacks:t}=this.parsed,n=new Set(t.map(e=>e.level)).size;return`Graph of ${e}: ${U(t.length,`stack`)} in ${U(n,`level`)}. Arrow keys move along dependencies.`}renderEmpty(){return k`<p class="empty">${gt(this.parsed)}</p>`}renderBar(){let e=this.query?this.parsed.stacks.filter(e=>this.isFound(e)).length:0;return k`<label class="search">
        ${K(`search`)}
        <input
          class="field"
          type="search"
          placeholder="Find a stack"
          aria-label="Find a stack"
          aria-keyshortcuts="/"
          .value=${this.query}
          @input=${this.type}
          @keydown=${this.searchKey}
        />
        <kbd ?hidden=${this.query!==``}>/</kbd>
        <span class="hits" ?hidden=${this.query===``} title=${U(e,`stack matches`,`stacks match`)}>${e}</span>
      </label>
      ${this.renderFolding()}
      <span class="space"></span>
      <div class="set" role="group" aria-label="Zoom">
        <button class="button icon" aria-label="Zoom out" @click=${()=>this.zoomBy(1/1.3)}>${K(`minus`)}</button>
        <button class="button icon" aria-label="Zoom in" @click=${()=>this.zoomBy(1.3)}>${K(`plus`)}</button>
        <button class="button icon" aria-label="Show all" title="Show all (0)" @click=${this.fit}>${K(`fit`)}</button>
        ${this.hasMoreRoom===null?M:k`<button class="button icon" aria-label="More room" title="Enlarge the graph" aria-pressed=${this.hasMoreRoom?`true`:`false`}
              @click=${()=>this.emit(`room-toggle`,null)}>${K(`room`)}</button>`}
      </div>
      <div class="set" role="group" aria-label="Export">
        <span class="muted set-name">Export</span>
        ${[`SVG`,`Mermaid`,`DOT`].map(e=>k`<button class="button" @click=${()=>this.export(e)}>${e}</button>`)}
      </div>`}renderFolding(){let{stacks:e}=this.parsed;if(e.filter(e=>jt(e)!==null).length<2)return M;let t=this.layout?.boxes.filter(e=>e.item.kind===null).length??0,{folded:n}=this,r=Mt(e,{isFolded:!0,opened:this.opened,shown:new Set}),i=n?t-r.filter(e=>e.kind===null).length:0,a=`${t} of ${U(e.length,`stack`)}`,o=i>0?`${a} shown, ${i} of them could be folded`:this.isFolded===null?`Folded to what needs attention: ${a} shown`:`${a} shown`;return k`<button class="button" aria-pressed=${n?`true`:`false`} @click=${this.toggleFold}>
        ${K(`fold`)} Fold
      </button>
      ${i>0?k`<button class="button" @click=${this.foldAgain}>Fold again</button>`:M}
      <span class="muted note">${n?o:``}</span>`}async foldAgain(){this.layout=null,this.opened=new Set,this.hasMoved=!1,this.view=null,await this.updateComplete,this.renderRoot.querySelector(`button[aria-pressed]`)?.focus()}renderGraph(e,t){let n=this.lit(),r=`translate(${t.x}px, ${t.y}px) scale(${t.scale})`,i=e.boxes.some(e=>e.key===this.focusKey)?this.focusKey:this.inOrder(e)[0]?.key??``;return k`<div class="plane ${n?`has-lit`:``} ${t.scale<.45?`far`:``}"
      ${Dt({transform:r})}>
      <svg class="edges" width=${e.width} height=${e.height} aria-hidden="true">
        ${at(e.edges,e=>e.key,e=>this.renderEdge(e,n))}
      </svg>
      ${at(e.boxes,e=>e.key,e=>this.renderBox(e,n,e.key===i))}
    </div>`}renderEdge(e,t){return A`<path class=${t!==null&&!this.query&&t.has(e.from)&&t.has(e.to)?`lit`:``} d=${e.path}></path>`}renderBox(e,t,n){let{item:r}=e,i=r.stacks[0];if(!i)return k``;let a=t?.get(e.key)??``,o={transform:`translate(${e.x}px, ${e.y}px)`},s=n?`0`:`-1`,c=`box ${a} ${t&&!a?`dim`:``}`;if(r.kind!==null){let n=In[r.kind],i=r.stacks.length;return k`<button class="${c} group ${n.tone}" data-key=${e.key} tabindex=${s}
        @click=${()=>this.open(e.key)} ${Dt(o)}>
        ${wt(n.glyph)}
        <span class="lines"
          ><span class="title"
            >${i} ${n.word}<span class="unseen"> stacks of level ${r.level+1}.</span></span
          ><span class="more">${this.related(e,t)||`Show them`}</span></span
        >
      </button>`}let l=H(i.phase);return k`<button class="${c} ${l.tone} ${i.phase===`Running`?`running`:``}" data-key=${e.key}
      tabindex=${s} aria-pressed=${i.id===this.selected?`true`:`false`}
      @click=${()=>this.select(i.id)} ${Dt(o)}>
      ${wt(l.glyph)}
      <span class="lines"
        ><span class="title">${Ct(i.id)}</span
        ><span class="more"
          ><b>${l.word}</b>${this.detail(i)}<span class="unseen">${this.describe(i)}</span></span
        ></span
      >
    </button>`}related(e,t){if(t===null)return``;if(this.query||!this.selected){let t=e.item.stacks.filter(e=>this.query?this.isFound(e):this.isOnly(e)).length;return t>0?`${t} of ${U(e.item.stacks.length,`stack`)}`:``}let{upstream:n,downstream:r}=Pt(this.parsed.stacks,this.selected),i=e.item.stacks.map(e=>e.id),[a,o]=[n,r].map(e=>i.filter(t=>e.has(t)).length);return[a?`${a} upstream`:``,o?`${o} downstream`:``].filter(Boolean).join(`, `)}detail(e){let t=e.phase!==`Skipped`&&e.phase!==`Pending`?ft(dt(e.startTime,e.completionTime,this.now)):``,n=mt(e.delta);return[t,e.attempts>1?`attempt ${e.attempts}`:``,n,e.reason===`OutputUnchanged`?`inputs unchanged`:``].filter(Boolean).map(e=>` · ${e}`).join(``)}describe(e){let t=e.dependsOn.length,n=t>0?`, depends on ${t>3?U(t,`stack`):e.dependsOn.join(`, `)}`:``;return`, level ${e.level+1}${n}`}renderMap(){let{layout:e,view:t,room:n}=this;if(!e||!t||e.boxes.length===0)return M;let[r,i]=[e.width*t.scale,e.height*t.scale];if(t.x>=0&&t.y>=0&&t.x+r<=n.width&&t.y+i<=n.height)return M;let a=Math.min(Ln.width/e.width,Ln.height/e.height),o=1.5/a;return k`<svg class="map" aria-hidden="true" @pointerdown=${this.mapPress}
      viewBox="0 0 ${e.width} ${e.height}"
      width=${Math.max(24,e.width*a)} height=${Math.max(24,e.height*a)}>
      ${e.boxes.map(e=>A`<rect class=${e.item.kind?In[e.item.kind].tone:H(e.item.stacks[0]?.phase??``).tone} x=${e.x} y=${e.y} width=${256} height=${Math.max(46,o)}></rect>`)}
      ${A`<rect class="window" x=${-t.x/t.scale} y=${-t.y/t.scale}
        width=${n.width/t.scale} height=${n.height/t.scale} vector-effect="non-scaling-stroke"></rect>`}
    </svg>`}lit(){if(this.query)return new Map(this.foundKeys().map(e=>[e,`found`]));if(!this.selected||!this.parsed.stacks.some(e=>e.id===this.selected)){let e=this.layout?.boxes.filter(e=>e.item.stacks.some(e=>this.isOnly(e)));return this.only.length>0?new Map(e?.map(e=>[e.key,`found`])):null}let{upstream:e,downstream:t}=Pt(this.parsed.stacks,this.selected),n=new Map;for(let r of this.layout?.boxes??[])for(let{id:i}of r.item.stacks)i===this.selected?n.set(r.key,`selected`):!n.has(r.key)&&(e.has(i)||t.has(i))&&n.set(r.key,e.has(i)?`upstream`:`downstream`);return n}isOnly(e){return this.only.includes(e.phase)}isFound(e){return ht(this.query,e.id,e.name)}foundKeys(){return(this.layout?.boxes??[]).filter(e=>e.item.stacks.some(e=>this.isFound(e))).map(e=>e.key)}keyOf(e){return this.layout?.boxes.find(t=>t.item.stacks.some(t=>t.id===e))?.key??``}inOrder(e){return[...e.boxes].sort((e,t)=>e.x-t.x||e.y-t.y)}select(e){this.dragged||(this.selected=this.selected===e?``:e,this.emit(`stack-select`,{id:this.selected}))}async open(e){if(this.dragged)return;let t=new Set(this.layout?.boxes.find(t=>t.key===e)?.item.stacks.map(e=>e.id));this.opened=new Set([...this.opened,e]),await this.updateComplete;let n=(this.layout?.boxes??[]).filter(e=>t.has(e.key)).sort((e,t)=>e.y-t.y);await this.focusBox(n[0]?.key??``)}toggleFold(){this.isFolded=!this.folded,this.opened=new Set,this.hasMoved=!1,this.view=null}fit(){this.layout&&(this.view=jn(this.layout,this.room),this.hasMoved=!0)}zoomBy(e){if(this.view){let t={x:this.room.width/2,y:this.room.height/2};this.go(Mn(this.view,e,t))}}go(e){this.layout&&(this.hasMoved=!0,this.view=Fn(e,this.layout,this.room))}show(e){let t=this.layout?.boxes.find(t=>t.key===e);if(t&&this.view){let e=Pn(this.view,Rn(t),this.room);(e.x!==this.view.x||e.y!==this.view.y)&&this.go(e)}}async focusBox(e){this.focusKey=e,this.show(e),await this.updateComplete,[...this.renderRoot.querySelectorAll(`.box`)].find(t=>t.dataset.key===e)?.focus({preventScroll:!0})}press(e){e.button===0&&this.view&&(this.pointers.set(e.pointerId,{x:e.clientX,y:e.clientY}),this.drag={x:e.clientX,y:e.clientY,view:this.view},this.dragged=!1)}move(e){let t=this.pointers.get(e.pointerId);if(!t||!this.drag||!this.view)return;let n=[...this.pointers].filter(([t])=>t!==e.pointerId).map(([,e])=>e)[0];if(n){let r=e=>Math.hypot(e.x-n.x,e.y-n.y),i=this.canvas.getBoundingClientRect(),a={x:(e.clientX+n.x)/2-i.x,y:(e.clientY+n.y)/2-i.y},o={x:e.clientX,y:e.clientY};this.go(Mn(this.view,r(o)/Math.max(1,r(t)),a)),this.dragged=!0,this.drag={...o,view:this.view}}else{let[t,n]=[e.clientX-this.drag.x,e.clientY-this.drag.y];(this.dragged||Math.hypot(t,n)>4)&&(this.dragged||this.canvas.setPointerCapture(e.pointerId),this.dragged=!0,this.go({...this.drag.view,x:this.drag.view.x+t,y:this.drag.view.y+n}))}this.pointers.set(e.pointerId,{x:e.clientX,y:e.clientY})}release(e){if(!this.pointers.delete(e.pointerId)||(this.drag=null,this.pointers.size>0))return;window.setTimeout(()=>this.dragged=!1);let t=e.target.closest(`.box`)!==null;e.type===`pointerup`&&!this.dragged&&!t&&this.selected&&this.select(this.selected)}mapPress(e){e.stopPropagation();let t=e.currentTarget.getBoundingClientRect(),{layout:n,view:r,room:i}=this;if(n&&r){let a=(e.clientX-t.x)/t.width*n.width,o=(e.clientY-t.y)/t.height*n.height;this.go({...r,x:i.width/2-a*r.scale,y:i.height/2-o*r.scale})}}focusSearch(){this.input.focus(),this.input.select()}type(){this.query=this.input.value,this.emit(`query-change`,{query:this.query});let e=new Set(this.query?this.foundKeys():[]),t=this.layout&&this.inOrder(this.layout).find(t=>e.has(t.key));t&&this.show(t.key)}searchKey(e){e.stopPropagation();let t=this.layout;if(e.key===`Escape`)this.query?(this.input.value=``,this.type()):this.input.blur();else if((e.key===`Enter`||e.key===`ArrowDown`)&&t){e.preventDefault();let n=new Set(this.foundKeys()),r=this.inOrder(t).find(e=>n.has(e.key)||!this.query);r&&this.focusBox(r.key)}}takeKey(e){return e.defaultPrevented||![`+`,`=`,`-`,`0`,`j`,`k`].includes(e.key)?!1:(this.key(e),!0)}key(e){if(e.ctrlKey||e.metaKey||e.altKey||!this.layout)return;let t=this.inOrder(this.layout),n=t.findIndex(e=>e.key===this.focusKey),r=t[n]??t[0],i=r&&this.target(e.key,t,r,Math.max(0,n));if(i)e.preventDefault(),this.focusBox(i.key);else{switch(e.key){case`/`:e.preventDefault(),this.focusSearch();break;case`Escape`:if(!this.selected)return;this.select(this.selected);break;case`+`:case`=`:this.zoomBy(1.3);break;case`-`:this.zoomBy(1/1.3);break;case`0`:this.fit();break;default:return}e.stopPropagation()}}target(e,t,n,r){let i=e=>t.filter(t=>e.includes(t.key)).sort((e,t)=>Math.abs(e.y-n.y)-Math.abs(t.y-n.y))[0],a=this.layout?.edges??[],o=t.filter(e=>e.column===n.column),s=o.indexOf(n);switch(e){case`ArrowRight`:return i(a.filter(e=>e.from===n.key).map(e=>e.to));case`ArrowLeft`:return i(a.filter(e=>e.to===n.key).map(e=>e.from));case`ArrowDown`:return o[s+1];case`ArrowUp`:return o[s-1];case`j`:return t[r+1];case`k`:return t[r-1];case`Home`:return t[0];case`End`:return t.at(-1);default:return}}export(e){let{name:t,stacks:n}=this.parsed,[r,i,a]=e===`SVG`?[this.layout?_n(t,this.layout):``,`image/svg+xml`,`svg`]:e===`DOT`?[gn(t,n),`text/vnd.graphviz`,`dot`]:[hn(n),`text/plain`,`mmd`],o=document.createElement(`a`);o.href=URL.createObjectURL(new Blob([r],{type:i})),o.download=`${t||`chain`}.${a}`,o.click(),window.setTimeout(()=>URL.revokeObjectURL(o.href),1e4)}emit(e,t){this.dispatchEvent(new CustomEvent(e,{detail:t,bubbles:!0,composed:!0}))}};J([R({attribute:!1})],$.prototype,`chain`,void 0),J([R({attribute:!1})],$.prototype,`advice`,void 0),J([R()],$.prototype,`selected`,void 0),J([R()],$.prototype,`query`,void 0),J([R({attribute:!1})],$.prototype,`only`,void 0),J([R()],$.prototype,`drawer`,void 0),J([R({attribute:!1})],$.prototype,`hasMoreRoom`,void 0),J([z()],$.prototype,`isFolded`,void 0),J([z()],$.prototype,`opened`,void 0),J([z()],$.prototype,`view`,void 0),J([z()],$.prototype,`room`,void 0),J([z()],$.prototype,`now`,void 0),J([z()],$.prototype,`focusKey`,void 0),J([z()],$.prototype,`announcement`,void 0),J([Ke(`.canvas`)],$.prototype,`canvas`,void 0),J([Ke(`input`)],$.prototype,`input`,void 0),$=J([qe(`stackchain-graph`)],$);function Rn(e){return{x:e.x,y:e.y,width:256,height:46}}function zn(){return g`
    :host {
      display: flex;
      flex-direction: column;
      min-height: 240px;
      background: var(--canvas);
      position: relative;
    }
    .bar {
      display: flex;
      align-items: center;
      flex-wrap: wrap;
      gap: 8px;
      padding: 8px 24px;
      border-bottom: 1px solid var(--line);
      background: var(--surface);
    }
    .search {
      position: relative;
      display: flex;
      align-items: center;
    }
    .search svg {
      position: absolute;
      left: 9px;
      color: var(--muted);
      pointer-events: none;
    }
    .search input {
      width: 220px;
      padding: 0 34px 0 30px;
      background: var(--canvas);
    }
    .search input::-webkit-search-cancel-button {
      display: none;
    }
    kbd,
    .hits {
      position: absolute;
      right: 8px;
      min-width: 18px;
      padding: 0 5px;
      border: 1px solid var(--line);
      border-radius: 4px;
      background: var(--surface);
      color: var(--muted);
      font: 11px/16px var(--mono);
      text-align: center;
      pointer-events: none;
    }
    .space {
      flex: 1;
    }
    .note {
      font-size: 12px;
    }
    .set {
      display: flex;
      align-items: center;
    }
    .set-name {
      margin: 0 8px 0 6px;
      font-size: 12px;
    }
    .set .button {
      border-radius: 0;
      margin-left: -1px;
    }
    .set .button:first-of-type {
      border-radius: 6px 0 0 6px;
    }
    .set .button:last-of-type {
      border-radius: 0 6px 6px 0;
    }
    .main {
      flex: 1;
      display: flex;
      min-height: 0;
    }
    .canvas {
      flex: 1;
      min-width: 0;
      position: relative;
      overflow: hidden;
      touch-action: none;
      cursor: grab;
      background-image: radial-gradient(circle, var(--line) 1px, transparent 1px);
      background-size: 24px 24px;
      background-position: 12px 12px;
    }
    .canvas:active {
      cursor: grabbing;
    }
    stackchain-drawer {
      width: 380px;
      border-left: 1px solid var(--line);
    }
    .plane {
      position: absolute;
      top: 0;
      left: 0;
      transform-origin: 0 0;
    }
    .edges {
      position: absolute;
      overflow: visible;
      pointer-events: none;
    }
    .edges path {
      fill: none;
      stroke: var(--edge);
      stroke-width: 1.4;
    }
    .has-lit .edges path {
      opacity: 0.3;
    }
    .has-lit .edges path.lit {
      stroke: var(--accent);
      stroke-width: 2;
      opacity: 1;
    }
    .box {
      position: absolute;
      top: 0;
      left: 0;
      display: flex;
      align-items: center;
      gap: 9px;
      width: ${256}px;
      height: ${46}px;
      padding: 0 12px 0 11px;
      border: 1px solid var(--line-strong);
      border-radius: var(--radius);
      background: var(--surface);
      box-shadow: var(--shadow);
      text-align: left;
      cursor: pointer;
      user-select: none;
    }
    .box:hover {
      border-color: var(--tone);
    }
    .box.bad,
    .box.attention,
    .box.active {
      border-color: var(--tone);
    }
    .box.bad {
      background: var(--bad-soft);
    }
    .box.attention {
      background: var(--attention-soft);
    }
    .box.bad .glyph,
    .box.attention .glyph {
      background: var(--surface);
    }
    .box.faint .title {
      color: var(--muted);
    }
    .box.group {
      border-style: dashed;
      box-shadow:
        3px 3px 0 -1px var(--surface),
        3px 3px 0 0 var(--line-strong);
    }
    .box.dim {
      border-color: var(--line);
      background: var(--canvas);
      box-shadow: none;
    }
    .box.dim .title,
    .box.dim .more,
    .box.dim .more b {
      color: var(--muted);
      font-weight: 400;
    }
    .box.dim .glyph {
      opacity: 0.45;
    }
    .box.selected {
      box-shadow: 0 0 0 2px var(--accent);
      border-color: var(--accent);
    }
    .box.upstream,
    .box.downstream,
    .box.found {
      box-shadow: 0 0 0 1.5px var(--accent);
    }
    .box:focus-visible {
      outline: 3px solid var(--accent);
      outline-offset: 3px;
    }
    .lines {
      display: flex;
      flex-direction: column;
      flex: 1;
      min-width: 0;
      line-height: 1.3;
    }
    .title {
      display: flex;
      font-weight: 580;
      min-width: 0;
    }
    .more {
      position: relative;
      overflow: hidden;
      text-overflow: ellipsis;
      white-space: nowrap;
      font-size: 11.5px;
      color: var(--muted);
    }
    .more b {
      font-weight: 550;
      color: var(--tone);
    }
    .running .glyph {
      animation: pulse 1.8s ease-in-out infinite;
    }
    @keyframes pulse {
      50% {
        box-shadow: 0 0 0 4px color-mix(in srgb, var(--tone) 22%, transparent);
      }
    }
    .far .more {
      visibility: hidden;
    }
    .map {
      position: absolute;
      right: 14px;
      bottom: 14px;
      padding: 6px;
      box-sizing: content-box;
      border: 1px solid var(--line);
      border-radius: var(--radius);
      background: var(--surface);
      box-shadow: var(--shadow-high);
      cursor: pointer;
    }
    .map rect {
      fill: var(--tone);
      opacity: 0.75;
    }
    .map rect.faint {
      opacity: 0.35;
    }
    .map .window {
      fill: var(--accent);
      fill-opacity: 0.1;
      stroke: var(--accent);
      stroke-width: 1.5;
      opacity: 1;
    }
    .empty {
      position: absolute;
      inset: 0;
      display: grid;
      place-content: center;
      margin: 0;
      color: var(--muted);
    }
    @media (max-width: 900px) {
      stackchain-drawer {
        position: absolute;
        inset: 0 0 0 auto;
        width: min(380px, 100%);
        z-index: 2;
        box-shadow: var(--shadow-high);
      }
      .set-name {
        display: none;
      }
    }
  `}var Bn={chain:``,id:``};function Vn(e){let t=document.createElement(`stackchain-graph`);t.style.height=`clamp(360px, 70vh, 720px)`;let n=``;return t.addEventListener(`stack-select`,e=>{Bn={chain:n,id:e.detail.id}}),t.addEventListener(`wheel`,Hn,{capture:!0}),e.append(t),{update(e){let r=Un(e);r!==n&&(n=r,t.selected=Bn.chain===r?Bn.id:``),t.chain=e},remove(){t.remove()}}}function Hn(e){!e.ctrlKey&&!e.metaKey&&e.stopPropagation()}function Un(e){let t=s(s(e).metadata);return l(t.uid)||`${l(t.namespace)}/${l(t.name)}`}var Wn=`stackchain.dev`,Gn=`StackChain`;function Kn(e){return({chain:t})=>{let n=e.useRef(null),r=e.useRef(null);return e.useEffect(()=>{let e=n.current&&Vn(n.current);return r.current=e,()=>{r.current=null,e?.remove()}},[]),e.useEffect(()=>r.current?.update(t),[t]),e.createElement(`div`,{ref:n})}}var qn={light:`not all`,dark:`all`,system:`(prefers-color-scheme: dark)`};function Jn(e){for(let t of xt.styleSheet?.cssRules??[])t instanceof CSSMediaRule&&(t.media.mediaText=qn[e])}var Yn=window,{React:Xn}=Yn,Zn=Kn(Xn);Yn.extensionsAPI.registerResourceExtension(({resource:e})=>(Xn.useEffect(Qn,[]),Xn.createElement(Zn,{chain:e})),Wn,Gn,`Chain`,{icon:`fa fa-project-diagram`});function Qn(){let e=document.querySelector(`.theme-dark, .theme-light`),t=()=>Jn($n(e)),n=new MutationObserver(t);return e!==null&&n.observe(e,{attributeFilter:[`class`]}),t(),()=>n.disconnect()}function $n(e){return e===null?`system`:e.classList.contains(`theme-dark`)?`dark`:`light`}})();